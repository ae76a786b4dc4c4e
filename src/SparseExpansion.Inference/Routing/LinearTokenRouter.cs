using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Inference.Routing;

/// <summary>argmax_j (W x + b)_j; ties go to the lowest expert.</summary>
/// <param name="weight">W [experts, features] float32; taken over.</param>
/// <param name="bias">b [experts] float32; taken over.</param>
/// <param name="inputFeatures">Width of a token.</param>
internal sealed unsafe class LinearTokenRouter(NativeArray weight, NativeArray bias, int inputFeatures)
    : TokenRouter(inputFeatures, (int)bias.Length)
{
    /// <summary>Kind in checkpoints.</summary>
    public const string Kind = "linear";

    /// <inheritdoc/>
    public override int ScratchPerToken => ExpertCount;

    /// <inheritdoc/>
    public override void Choose(float* tokens, nint stride, Span<long> experts, float* scratch, int threads)
    {
        DenseMultiplication.Run(
            new MatrixView(weight.Address, InputFeatures, ElementType.Float32), ExpertCount, InputFeatures,
            new MatrixView((nint)tokens, stride, ElementType.Float32), experts.Length,
            new MatrixView((nint)scratch, ExpertCount, ElementType.Float32), bias.Address, threads);
        for (int token = 0; token < experts.Length; token++)
        {
            experts[token] = Largest(new ReadOnlySpan<float>(scratch + (nint)token * ExpertCount, ExpertCount));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
        base.Dispose();
    }

    private static int Largest(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }
}
