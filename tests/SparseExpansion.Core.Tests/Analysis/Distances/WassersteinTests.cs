using CsCheck;
using MathNet.Numerics.Distributions;
using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Distances;

public sealed class WassersteinTests
{
    private static readonly Gen<double[]> Samples =
        Gen.OneOf(Gen.Double[-3, 3], Gen.Double[0, 1].Select(p => Normal.InvCDF(0, 1, (p * 0.998) + 0.001)), Gen.Int[0, 3].Select(i => (double)i))
            .Array[2, 70]
            .Where(values => values.Max() - values.Min() > 0.01);

    [Fact]
    public void ToGaussian_Golden_AgreesTo1e6()
    {
        using SafetensorsReader file = Golden();
        using var scope = NewDisposeScope();
        double[] expected = file.Read("wasserstein_to_gaussian").data<double>().ToArray();
        Tensor outputs = file.Read("outputs").t().contiguous();

        double[] fast = Wasserstein.ToGaussian(outputs, tokenDimension: 1);

        for (int column = 0; column < expected.Length; column++)
        {
            double exact = Wasserstein.ToGaussian(outputs[column].data<double>().ToArray());
            AssertRelative(expected[column], exact, 1e-9);
            AssertRelative(expected[column], fast[column], 1e-6);
        }
    }

    [Fact]
    public void ToGaussian_AnySample_EqualsIntegralOfDistributionFunctions() =>
        Samples.Sample(values => Assert.Equal(StepIntegral.ClosedForm(values), Wasserstein.ToGaussian(values), 1e-11));

    [Fact]
    public void ToGaussian_AnySample_EqualsBruteForceIntegral() =>
        Samples.Sample(values => Assert.Equal(StepIntegral.BruteForce(values, 100_000), Wasserstein.ToGaussian(values), 2e-4), iter: 20);

    [Fact]
    public void ToGaussian_Tensor_EqualsOneValueAtATime() => Samples.Sample(values =>
    {
        float[] rounded = Array.ConvertAll(values, value => (float)value);
        using Tensor outputs = tensor(rounded).unsqueeze(0);
        Assert.Equal(Wasserstein.ToGaussian(Array.ConvertAll(rounded, value => (double)value)), Wasserstein.ToGaussian(outputs, tokenDimension: 1)[0], 1e-12);
    });

    [Fact]
    public void ToGaussian_ShiftedAndScaled_StaysTheSame() =>
        Gen.Select(Samples, Gen.Double[-5, 5], Gen.Double[0.1, 10]).Sample((values, shift, scale) =>
            Assert.Equal(Wasserstein.ToGaussian(values), Wasserstein.ToGaussian(Array.ConvertAll(values, value => shift + (scale * value))), 1e-9));

    [Fact]
    public void ToGaussian_Mirrored_StaysTheSame() =>
        Samples.Sample(values => Assert.Equal(Wasserstein.ToGaussian(values), Wasserstein.ToGaussian(Array.ConvertAll(values, value => -value)), 1e-11));

    [Fact]
    public void ToGaussian_TwoPoints_HasItsClosedForm()
    {
        // Half the mass at −1 and half at 1: 2 ∫₀^∞ |1_{x ≥ 1} − (2Φ(x) −
        // 1)| / 2 dx, from the quantiles by hand.
        double atOne = Normal.CDF(0, 1, 1), density = Normal.PDF(0, 1, 1), peak = Normal.PDF(0, 1, 0);
        double expected = 2 * (((2 * atOne) - 1.5) + (2 * density) - peak);

        Assert.Equal(expected, Wasserstein.ToGaussian([3, 5]), 1e-14);
    }

    [Fact]
    public void ToGaussian_MonteCarlo_AgreesWithinItsNoise()
    {
        // The estimate of the authors' kind: Gaussian numbers are drawn and sorted against the sample.
        using SafetensorsReader file = Golden();
        using Tensor outputs = file.Read("outputs");
        using Tensor column = outputs.select(1, 2).contiguous();
        double[] values = column.data<double>().ToArray();
        double mean = values.Average(), deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        double[] standardized = Array.ConvertAll(values, value => (value - mean) / deviation);
        var random = new Random(7);
        double[] estimates = [.. Enumerable.Range(0, 20).Select(_ => Wasserstein.Between(standardized, Draw(random, 100_000)))];
        double center = estimates.Average(), noise = Math.Sqrt(estimates.Average(value => (value - center) * (value - center)));

        Assert.InRange(noise, 0, 0.01);
        Assert.Equal(Wasserstein.ToGaussian(values), center, 5 * noise);
    }

    [Fact]
    public void ToGaussian_GaussianSamples_FallWithTheRootOfTheCount()
    {
        // What sampling alone leaves of the distance: docs/analysis.md names 0.82/√n.
        var random = new Random(3);
        foreach (int count in (int[])[100, 1_600])
        {
            double floor = Enumerable.Range(0, 400).Average(_ => Wasserstein.ToGaussian(Draw(random, count))) * Math.Sqrt(count);
            Assert.InRange(floor, 0.75, 0.9);
        }
    }

    [Fact]
    public void ToGaussian_Constant_IsZero()
    {
        using Tensor constant = full(1, 100, Scalars.Of(0.1f));
        using Tensor rounding = tensor(Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? 1f : MathF.BitIncrement(1f)).ToArray()).unsqueeze(0);

        Assert.Equal(0, Wasserstein.ToGaussian([0.1, 0.1, 0.1]));
        Assert.Equal(0, Wasserstein.ToGaussian(constant, tokenDimension: 1)[0]);
        Assert.Equal(0, Wasserstein.ToGaussian(rounding, tokenDimension: 1)[0]);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ToGaussian_NotFinite_Throws(double bad)
    {
        using Tensor outputs = tensor(new[] { 1.0, 2, bad, 4 }).unsqueeze(0);

        Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian([1, 2, bad]));
        Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian(outputs, tokenDimension: 1));
        Assert.Throws<ArgumentException>(() => Wasserstein.Between([1, bad], [1]));
    }

    [Fact]
    public void ToGaussian_TooFewOrMisshaped_Throws()
    {
        using Tensor one = zeros(3, 1);
        using Tensor vector = zeros(5);
        using Tensor integers = zeros(3, 4, ScalarType.Int64);

        Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian([1.0]));
        Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian(one, tokenDimension: 1));
        Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian(vector, tokenDimension: 1));
        Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian(integers, tokenDimension: 1));
        Assert.Throws<ArgumentNullException>(() => Wasserstein.ToGaussian(null!, tokenDimension: 1));
        Assert.Throws<ArgumentException>(() => Wasserstein.Between([], [1]));
    }

    [Fact]
    public void ToGaussian_TokensInEitherDimension_GivesTheSameNeurons()
    {
        using var scope = NewDisposeScope();
        Tensor outputs = randn(5, 40);
        double[] expected = Wasserstein.ToGaussian(outputs, tokenDimension: 1);

        Assert.Equal(5, expected.Length);
        Assert.Equal(expected, Wasserstein.ToGaussian(outputs.t(), tokenDimension: 0));
        Assert.Equal(expected, Wasserstein.ToGaussian(outputs.t().contiguous(), tokenDimension: 0));
        Assert.Equal(40, Wasserstein.ToGaussian(outputs, tokenDimension: 0).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => Wasserstein.ToGaussian(outputs, tokenDimension: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Wasserstein.ToGaussian(outputs, tokenDimension: -1));
        Assert.Contains("[at least 2 tokens, neurons]", Assert.Throws<ArgumentException>(() => Wasserstein.ToGaussian(outputs.narrow(0, 0, 1), tokenDimension: 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToGaussian_Tensor_LeavesNothingBehind()
    {
        using Tensor outputs = randn(7, 33);
        LeakCheck.NoTensorsLeft(() => Wasserstein.ToGaussian(outputs, tokenDimension: 1));
    }

    [Fact]
    public void Between_EqualSizes_IsTheMeanDistanceOfRanks() =>
        Gen.Int[1, 40].SelectMany(n => Gen.Select(Gen.Double[-3, 3].Array[n], Gen.Double[-3, 3].Array[n])).Sample((a, b) =>
            Assert.Equal(a.Order().Zip(b.Order(), (x, y) => Math.Abs(x - y)).Average(), Wasserstein.Between(a, b), 1e-12));

    [Fact]
    public void Between_UnequalSizes_EqualsRepeatedSamplesOfEqualSize() =>
        Gen.Select(Gen.Double[-3, 3].Array[1, 12], Gen.Double[-3, 3].Array[1, 12]).Sample((a, b) =>
            Assert.Equal(
                Wasserstein.Between([.. a.SelectMany(x => Enumerable.Repeat(x, b.Length))], [.. b.SelectMany(x => Enumerable.Repeat(x, a.Length))]),
                Wasserstein.Between(a, b),
                1e-12));

    [Fact]
    public void Between_ShiftedSample_IsTheShift() => Assert.Equal(2.5, Wasserstein.Between([1, 2, 3], [3.5, 4.5, 5.5, 3.5, 4.5, 5.5]), 1e-14);

    private static SafetensorsReader Golden() =>
        SafetensorsReader.Open(Path.Combine(AppContext.BaseDirectory, "Fixtures", "golden", "wasserstein.safetensors"));

    private static double[] Draw(Random random, int count)
    {
        var values = new double[count];
        Normal.Samples(random, values, 0, 1);
        return values;
    }

    private static void AssertRelative(double expected, double actual, double tolerance) =>
        Assert.True(Math.Abs(actual - expected) <= tolerance * expected, $"Expected {expected:R} within {tolerance}, got {actual:R}.");
}
