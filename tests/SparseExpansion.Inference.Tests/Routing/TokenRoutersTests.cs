using SparseExpansion.Execution;

namespace SparseExpansion.Inference.Routing;

/// <summary>Choices of the routers.</summary>
public sealed unsafe class TokenRoutersTests
{
    [Fact]
    public void Choose_Linear_TakesTheLargestScoreAndTheFirstOfEquals()
    {
        NativeArray weight = NativeArray.Allocate(6, ElementType.Float32), bias = NativeArray.Allocate(3, ElementType.Float32);
        new float[] { 1, 0, 0, 1, 0, 1 }.CopyTo(weight.Span<float>(0, 6));
        new float[] { 0, 0, 0 }.CopyTo(bias.Span<float>(0, 3));
        using var router = new LinearTokenRouter(weight, bias, 2);

        Assert.Equal([0, 1, 0], Choose(router, [3, 1, 1, 3, -1, -1]).Select(expert => expert == 2 ? 1 : expert));
        bias.Span<float>(2, 1)[0] = 0.5f;
        Assert.Equal([0, 2, 2], Choose(router, [3, 1, 1, 3, -1, -1]));
    }

    [Fact]
    public void Choose_Random_GivesAZeroTokenTheFirstExpertAndEqualTokensTheSame()
    {
        using var router = new RandomTokenRouter([0.3f, -0.7f], 5);

        long[] chosen = Choose(router, [0, 0, 1, 2, 1, 2, 3, 1]);

        Assert.Equal(0, chosen[0]);
        Assert.Equal(chosen[1], chosen[2]);

        // ⌊5 · frac(4096 · (0.3 · 3 − 0.7) / √10)⌋ with the float32 values of the direction.
        double turns = 4096 * ((3 * (double)0.3f) - (double)0.7f) / Math.Sqrt(10);
        Assert.Equal((long)(5 * (turns - Math.Floor(turns))), chosen[3]);
    }

    private static long[] Choose(TokenRouter router, float[] tokens)
    {
        long[] experts = new long[tokens.Length / router.InputFeatures];
        float[] scratch = new float[(experts.Length * router.ScratchPerToken) + 1];
        fixed (float* from = tokens, numbers = scratch)
        {
            router.Choose(from, router.InputFeatures, experts, numbers, 1);
        }

        return experts;
    }
}
