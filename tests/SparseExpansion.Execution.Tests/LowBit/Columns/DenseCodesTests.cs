using CsCheck;
using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>Codes under masks that became dense ones.</summary>
public sealed class DenseCodesTests
{
    [Fact]
    public void Of_AnyWeight_KeepsEveryValue() =>
        Gen.Select(
                Gen.Int[1, 200], Gen.Int[1, 600], Choice.Of(2, 3, 4, 8), Choice.Of<int?>(64, 128, null),
                Choice.Of(0, 0.5, 0.97, 1), Gen.Int[0, 1_000_000])
            .Sample(
                p =>
                {
                    using var problem = new LowBitProblem(p.Item1, p.Item2, p.Item3, p.Item4, p.Item5, 1, p.Item6);
                    foreach (LowBitPath path in Enum.GetValues<LowBitPath>().Where(LowBitPaths.IsSupported))
                    {
                        using QuantizedWeight dense = DenseCodes.Of(problem.Packed, path);
                        float[] values = new float[problem.Rows * problem.Columns];
                        dense.Dequantize(0, values);
                        Assert.Equal(problem.PackedValues, values);
                        Assert.Equal(p.Item3 == 8 ? 8 : 4, dense.Bits);
                    }
                },
                iter: 60);

    [Fact]
    public void Of_Values_IsRefused()
    {
        using PackedWeight values = PackedWeight.Pack(new float[64], 1, 64);

        Assert.Throws<ArgumentException>(() => DenseCodes.Of(values, LowBitPaths.Best));
    }
}
