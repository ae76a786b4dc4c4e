using CsCheck;
using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>Codes under masks that became dense ones.</summary>
public sealed class DenseCodesTests
{
    [Fact]
    public void Of_AnyWeight_KeepsEveryValue() =>
        Gen.Select(
                Gen.Int[1, 200], Gen.Int[1, 600], Choice.Of<int?>(64, 128, null),
                Choice.Of(0, 0.5, 0.97, 1), Gen.Int[0, 1_000_000])
            .Sample(
                p =>
                {
                    using var problem = new LowBitProblem(p.Item1, p.Item2, 8, p.Item3, p.Item4, 1, p.Item5);
                    foreach (LowBitPath path in Enum.GetValues<LowBitPath>().Where(LowBitPaths.IsSupported))
                    {
                        using QuantizedWeight dense = DenseCodes.Of(problem.Packed, path);
                        float[] values = new float[problem.Rows * problem.Columns];
                        dense.Dequantize(0, values);
                        Assert.Equal(problem.PackedValues, values);
                    }
                },
                iter: 60);

    [Fact]
    public void Of_ValuesOrNarrowCodes_IsRefused()
    {
        using PackedWeight values = PackedWeight.Pack(new float[64], 1, 64);
        using var problem = new LowBitProblem(1, 64, 4, null, 0, 1, 1);

        Assert.Throws<ArgumentException>(() => DenseCodes.Of(values, LowBitPaths.Best));
        Assert.Throws<ArgumentException>(() => DenseCodes.Of(problem.Packed, LowBitPaths.Best));
    }
}
