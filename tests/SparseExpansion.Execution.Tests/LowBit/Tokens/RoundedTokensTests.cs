using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.LowBit.Tokens;

public sealed unsafe class RoundedTokensTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(300)]
    [InlineData(2048)]
    public void Round_OfTokens_IsWithinHalfAStep(int columns)
    {
        var random = new Random(columns);
        float[] x = [.. Enumerable.Range(0, 3 * columns).Select(_ => (float)random.NextDouble() - 0.5f)];
        using RoundedTokens tokens = Round(x, 3, columns);

        for (int i = 0; i < x.Length; i++)
        {
            (int token, int column) = (i / columns, i % columns);
            float scale = tokens.Scales(token)[column / 64];
            float largest = x.Skip(token * columns + column / 128 * 128).Take(Math.Min(128, columns - column / 128 * 128)).Max(MathF.Abs);
            Assert.Equal(largest / 127, scale, 1e-9f);
            Assert.InRange(x[i] - scale * tokens.Codes(token)[column], -0.5001f * scale, 0.5001f * scale);
        }
    }

    [Fact]
    public void Round_OfTokens_SumsTheCodes()
    {
        var random = new Random(1);
        float[] x = [.. Enumerable.Range(0, 400).Select(_ => (float)random.NextDouble())];
        using RoundedTokens tokens = Round(x, 1, 400);

        double total = 0;
        for (int unit = 0; unit < tokens.Units; unit++)
        {
            int sum = 0;
            for (int i = 0; i < 64; i++)
            {
                sum += tokens.Codes(0)[unit * 64 + i];
            }

            double expected = sum * (double)tokens.Scales(0)[unit];
            Assert.Equal(expected, tokens.UnitSums(0)[unit], 1e-4);
            total += expected;
            if (unit % 2 == 1)
            {
                Assert.Equal(tokens.UnitSums(0)[unit - 1] + tokens.UnitSums(0)[unit], tokens.PairSums(0)[unit / 2]);
            }
        }

        Assert.Equal(total, *tokens.Totals(0), 1e-3);
    }

    [Fact]
    public void Round_OfZeros_IsZeros()
    {
        using RoundedTokens tokens = Round(new float[130], 1, 130);

        Assert.Equal(0, tokens.Scales(0)[0]);
        Assert.All(new Span<sbyte>(tokens.Codes(0), 256).ToArray(), code => Assert.Equal(0, code));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Round_OfWhatIsNotFinite_KeepsItFromLookingFinite(float value)
    {
        float[] x = new float[64];
        x[5] = value;
        using RoundedTokens tokens = Round(x, 1, 64);

        Assert.False(float.IsFinite(tokens.Scales(0)[0]));
    }

    [Fact]
    public void Round_OfBFloat16_ReadsIt()
    {
        float[] x = [1, -2, 0.5f];
        ushort[] halves = [.. x.Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))];
        using var tokens = new RoundedTokens();
        fixed (ushort* from = halves)
        {
            tokens.Round(new MatrixView((nint)from, 3, ElementType.BFloat16), 1, 3);
        }

        using RoundedTokens expected = Round(x, 1, 3);
        Assert.Equal(new Span<sbyte>(expected.Codes(0), 3).ToArray(), new Span<sbyte>(tokens.Codes(0), 3).ToArray());
    }

    private static RoundedTokens Round(float[] x, int count, int columns)
    {
        var tokens = new RoundedTokens();
        fixed (float* from = x)
        {
            tokens.Round(new MatrixView((nint)from, columns, ElementType.Float32), count, columns);
        }

        return tokens;
    }
}
