namespace SparseExpansion.Expansion.Memory;

/// <summary>Division of an expansion into pieces that fit into memory.</summary>
/// <param name="ScratchFolder">Folder that activations are written to; null keeps them in memory.</param>
/// <param name="Experts">For every linear the number of experts whose statistics may exist at a time.</param>
internal sealed record MemorySchedule(string? ScratchFolder, IReadOnlyDictionary<string, int> Experts)
{
    /// <summary>Experts at a time, for the input group that begins with a linear.</summary>
    public int ExpertsAtOnce(string layer) => Experts.GetValueOrDefault(layer, int.MaxValue);
}
