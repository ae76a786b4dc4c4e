namespace SparseExpansion.Expansion.Memory;

/// <summary>How an expansion is cut into pieces that fit into memory.</summary>
/// <param name="ScratchFolder">Where activations go; null keeps them in memory.</param>
/// <param name="Experts">For every linear the number of experts whose statistics may exist at a time.</param>
internal sealed record MemorySchedule(string? ScratchFolder, IReadOnlyDictionary<string, int> Experts)
{
    /// <summary>Experts at a time, for the input group that begins with a linear.</summary>
    public int ExpertsAtOnce(string layer) => Experts.GetValueOrDefault(layer, int.MaxValue);
}
