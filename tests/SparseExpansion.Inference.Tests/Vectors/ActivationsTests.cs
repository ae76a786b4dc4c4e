using SparseExpansion.Models;

namespace SparseExpansion.Inference.Vectors;

public sealed class ActivationsTests
{
    private static readonly float[] s_points =
        [.. Enumerable.Range(-4000, 8001).Select(i => i / 250f), float.Epsilon, 0.1f, -0.1f, 1e30f, -1e30f];

    /// <summary>Φ(x), from tables of 16 digits.</summary>
    [Theory]
    [InlineData(0.0, 0.5)]
    [InlineData(0.5, 0.6914624612740131)]
    [InlineData(1.0, 0.8413447460685429)]
    [InlineData(2.0, 0.9772498680518208)]
    [InlineData(3.0, 0.9986501019683699)]
    [InlineData(-1.0, 0.15865525393145707)]
    [InlineData(-2.0, 0.02275013194817921)]
    [InlineData(-3.0, 0.0013498980316300946)]
    [InlineData(-5.0, 2.866515718791939e-07)]
    [InlineData(-10.0, 7.61985302416052e-24)]
    public void NormalDistribution_KnownPoints_AreExact(double x, double expected) =>
        Assert.InRange(ErrorFunction.NormalDistribution(x) / expected, 1 - 1e-12, 1 + 1e-12);

    [Fact]
    public void NormalDistribution_WhereFormulasMeet_IsContinuous()
    {
        double below = ErrorFunction.Complement(Math.BitDecrement(2.0)), above = ErrorFunction.Complement(2.0);
        Assert.InRange(below / above, 1 - 1e-12, 1 + 1e-12);
    }

    [Fact]
    public void Apply_Silu_IsTheFormula() =>
        Check(ActivationKind.Silu, x => x / (1 + Math.Exp(-x)));

    [Fact]
    public void Apply_Gelu_IsTheFormula() =>
        Check(ActivationKind.Gelu, x => x * ErrorFunction.NormalDistribution(x));

    [Fact]
    public void Apply_GeluTanh_IsTheFormula() => Check(
        ActivationKind.GeluTanh,
        x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))));

    [Fact]
    public void Apply_Relu_IsTheFormula() => Check(ActivationKind.Relu, x => Math.Max(x, 0));

    [Fact]
    public void Apply_NotANumber_StaysOne()
    {
        foreach (ActivationKind kind in Enum.GetValues<ActivationKind>())
        {
            float[] values = [float.NaN, 1];
            Activations.Apply(kind, values);
            Assert.True(float.IsNaN(values[0]), kind.ToString());
            Assert.True(float.IsFinite(values[1]), kind.ToString());
        }
    }

    [Fact]
    public void ApplyGate_TwoRows_MultipliesThem()
    {
        float[] gate = [-1, 2, 3];
        Activations.ApplyGate(ActivationKind.Relu, gate, [5, 6, -7]);
        Assert.Equal([0, 12, -21], gate);
    }

    [Fact]
    public void Apply_UnknownKind_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>("kind", () => Activations.Apply((ActivationKind)99, new float[1]));

    private static void Check(ActivationKind kind, Func<double, double> formula)
    {
        float[] values = [.. s_points];
        Activations.Apply(kind, values);
        for (int i = 0; i < values.Length; i++)
        {
            double expected = formula(s_points[i]), allowed = 1e-6 * Math.Max(1, Math.Abs(expected));
            Assert.True(Math.Abs(values[i] - expected) <= allowed, $"{kind}({s_points[i]}) = {values[i]}, not {expected}");
        }
    }
}
