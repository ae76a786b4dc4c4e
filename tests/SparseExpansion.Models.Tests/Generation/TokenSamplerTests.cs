namespace SparseExpansion.Models.Generation;

public sealed class TokenSamplerTests
{
    private static readonly float[] Logits = [MathF.Log(1), MathF.Log(4), MathF.Log(3), MathF.Log(2)];

    [Fact]
    public void Sample_Temperature1_FollowsTheProbabilities()
    {
        int[] counts = Count(new GenerationOptions { Temperature = 1 });
        Assert.Equal([100, 400, 300, 200], counts);
    }

    [Fact]
    public void Sample_TemperatureHalf_SquaresThem() =>
        Assert.Equal([33, 534, 300, 133], Count(new GenerationOptions { Temperature = 0.5 }));

    [Fact]
    public void Sample_TopK_KeepsTheMostProbable() =>
        Assert.Equal([0, 571, 429, 0], Count(new GenerationOptions { Temperature = 1, TopK = 2 }));

    [Fact]
    public void Sample_TopP_KeepsTheFewestThatReachIt() =>
        Assert.Equal([0, 444, 333, 223], Count(new GenerationOptions { Temperature = 1, TopP = 0.75 }), Near);

    [Fact]
    public void Sample_TinyTopPOrNoTemperature_IsGreedy()
    {
        Assert.Equal([0, 1000, 0, 0], Count(new GenerationOptions { Temperature = 1, TopP = 1e-9 }));
        Assert.Equal([0, 1000, 0, 0], Count(new GenerationOptions()));
        Assert.Equal(0, TokenSampler.Sample([2, 2, 1], new GenerationOptions(), 0.9));
    }

    [Fact]
    public void Sample_MaskedLogits_AreNeverDrawn() =>
        Assert.Equal(
            0, TokenSampler.Sample([0, float.NegativeInfinity], new GenerationOptions { Temperature = 1 }, 0.9999999));

    [Fact]
    public void Sample_NotANumber_Throws() =>
        Assert.Throws<SparseExpansionException>(() => TokenSampler.Sample([0, float.NaN], new GenerationOptions(), 0));

    private static bool Near(int expected, int actual) => Math.Abs(expected - actual) <= 1;

    /// <summary>Frequency of each token for evenly spread random numbers: exact up to rounding.</summary>
    private static int[] Count(GenerationOptions options)
    {
        int[] counts = new int[Logits.Length];
        for (int i = 0; i < 1000; i++)
        {
            counts[TokenSampler.Sample(Logits, options, (i + 0.5) / 1000)]++;
        }

        return counts;
    }
}
