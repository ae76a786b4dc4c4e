using SparseExpansion.Expansion.Pipeline;
using TorchSharp.Modules;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>State that fine-tuning leaves in a block besides its mixtures.</summary>
internal static class TunedBlock
{
    /// <summary>Name of a trained norm in a store.</summary>
    /// <param name="position">In the order in which the norms of a block are found.</param>
    public static string NormName(int position) => $"norms/{position}";

    /// <summary>Adds a block's report and trained norms to what is reported and stored.</summary>
    public static void Add(BlockRun block, BlockFineTuning report, IReadOnlyList<Parameter> norms)
    {
        block.Parts.Set(FineTuningStep.PartName, report);
        for (int i = 0; i < norms.Count; i++)
        {
            block.Tensors.Add(NormName(i), norms[i]);
        }
    }
}
