using CsCheck;

namespace SparseExpansion.Inference.Vectors;

public sealed class NormsTests
{
    private const double Epsilon = 1e-6;

    private static readonly Gen<(float[] Source, float[] Weight, float[] Bias)> s_rows =
        Gen.Int[1, 70].SelectMany(n => Gen.Select(
            Gen.Float[-3, 3].Array[n], Gen.Float[-2, 2].Array[n], Gen.Float[-2, 2].Array[n]));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Rms_AnyRow_IsTheFormula(float center) => s_rows.Sample(c =>
    {
        double root = Math.Sqrt(c.Source.Average(x => (double)x * x) + Epsilon);
        float[] target = new float[c.Source.Length];
        Norms.Rms(c.Source, c.Weight, Epsilon, center, target);
        AssertClose([.. c.Source.Zip(c.Weight, (x, w) => (center + w) * x / root)], target);
        Norms.Rms(c.Source, c.Weight, Epsilon, center, c.Source);
        Assert.Equal(target, c.Source);
    });

    [Fact]
    public void Layer_AnyRow_IsTheFormula() => s_rows.Sample(c =>
    {
        double mean = c.Source.Average(x => (double)x);
        double root = Math.Sqrt(c.Source.Average(x => (x - mean) * (x - mean)) + Epsilon);
        double[] expected = [.. c.Source.Select((x, i) => (c.Weight[i] * (x - mean) / root) + c.Bias[i])];

        // A row of equal numbers is all rounding error, which the root of epsilon magnifies.
        double tolerance = 1e-5 * Math.Max(1, 0.01 / root);
        float[] target = new float[c.Source.Length];
        Norms.Layer(c.Source, c.Weight, c.Bias, Epsilon, target);
        AssertClose(expected, target, tolerance);
        Norms.Layer(c.Source, c.Weight, c.Bias, Epsilon, c.Source);
        Assert.Equal(target, c.Source);
    });

    [Fact]
    public void Norms_WithoutWeight_OnlyScale()
    {
        float[] target = new float[2];
        Norms.Rms([3, 4], [], 0, 0, target);
        AssertClose([3 / Math.Sqrt(12.5), 4 / Math.Sqrt(12.5)], target);
        Norms.Layer([3, 5], [], [], 0, target);
        AssertClose([-1, 1], target);
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance = 1e-6)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            double allowed = tolerance * Math.Max(1, Math.Abs(expected[i]));
            Assert.InRange(actual[i] - expected[i], -allowed, allowed);
        }
    }
}
