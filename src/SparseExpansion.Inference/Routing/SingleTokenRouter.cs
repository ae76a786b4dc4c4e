namespace SparseExpansion.Inference.Routing;

/// <summary>All tokens go to the only expert.</summary>
internal sealed unsafe class SingleTokenRouter(int inputFeatures) : TokenRouter(inputFeatures, 1)
{
    /// <summary>Kind in checkpoints.</summary>
    public const string Kind = "single";

    /// <inheritdoc/>
    public override void Choose(float* tokens, nint stride, Span<long> experts, float* scratch, int threads) =>
        experts.Clear();
}
