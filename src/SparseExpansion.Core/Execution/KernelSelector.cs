namespace SparseExpansion.Execution;

/// <summary>Chooses a kernel.</summary>
internal static class KernelSelector
{
    public static KernelKind Choose(PackedWeight weight, int tokens) =>
        tokens == 1 && weight.Sparsity < 0.7 ? KernelKind.Expand : KernelKind.Index;
}
