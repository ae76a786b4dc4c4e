using CsCheck;
using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Weights that were put in the order of the kernels.</summary>
public sealed class StripPackerTests
{
    private static readonly Gen<(int Rows, int Columns, int Bits, int? Group, double Sparsity, int Seed)> s_problems =
        Gen.Select(
            Gen.Int[1, 200], Gen.Int[1, 600], Choice.Of(2, 3, 4), Choice.Of<int?>(64, 128, null), Choice.Of(0, 0.5, 0.97, 1),
            Gen.Int[0, 1_000_000]);

    [Fact]
    public void Of_CodesUnderMasksOrDenseOnes_KeepsEveryValue() =>
        s_problems.Sample(
            p =>
            {
                using var problem = new LowBitProblem(p.Rows, p.Columns, p.Bits, p.Group, p.Sparsity, 1, p.Seed);
                foreach (LowBitPath path in Enum.GetValues<LowBitPath>().Where(LowBitPaths.IsSupported))
                {
                    using StripWeight packed = StripPacker.Of(problem.Packed, path), dense = StripPacker.Of(problem.Dense, path);
                    Assert.Equal(problem.PackedValues, Values(packed));
                    Assert.Equal(problem.DenseValues, Values(dense));
                }
            },
            iter: 60);

    [Fact]
    public void Of_ValuesOrWideCodes_IsRefused()
    {
        using PackedWeight values = PackedWeight.Pack(new float[64], 1, 64);
        using var problem = new LowBitProblem(1, 64, 8, null, 0, 1, 1);

        Assert.Throws<ArgumentException>(() => StripPacker.Of(values, LowBitPaths.Best));
        Assert.Throws<ArgumentException>(() => StripPacker.Of(problem.Packed, LowBitPaths.Best));
        Assert.Throws<ArgumentException>(() => StripPacker.Of(problem.Dense, LowBitPaths.Best));
    }

    [Fact]
    public void DecodeRow_OfNoRowOrAnotherWidth_IsRefused()
    {
        using var problem = new LowBitProblem(3, 64, 4, null, 0, 1, 1);
        using StripWeight strips = StripPacker.Of(problem.Dense, LowBitPaths.Best);

        Assert.Throws<ArgumentOutOfRangeException>(() => strips.DecodeRow(3, new float[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => strips.DecodeRow(-1, new float[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => strips.DecodeRow(0, new float[63]));
    }

    private static float[] Values(StripWeight weight)
    {
        float[] values = new float[weight.Rows * weight.Columns];
        for (int row = 0; row < weight.Rows; row++)
        {
            weight.DecodeRow(row, values.AsSpan(row * weight.Columns, weight.Columns));
        }

        return values;
    }
}
