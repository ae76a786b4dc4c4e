using CsCheck;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Paths;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>Codes under their columns, on every path that this processor has.</summary>
public sealed unsafe class ColumnExpanderTests
{
    [Fact]
    public void ExpandPanel_OfAnyWeight_PutsCodesUnderTheirColumnsAndZeroPointsElsewhere() =>
        Gen.Select(
                Gen.Int[1, 200], Gen.Int[1, 600], Choice.Of(2, 3, 4, 8), Choice.Of<int?>(64, 128, null),
                Choice.Of(0, 0.5, 0.97), Gen.Int[0, 1_000_000])
            .Sample(
                p =>
                {
                    using var problem = new LowBitProblem(p.Item1, p.Item2, p.Item3, p.Item4, p.Item5, 1, p.Item6);
                    foreach (LowBitPath path in Enum.GetValues<LowBitPath>().Where(LowBitPaths.IsSupported))
                    {
                        for (int panel = 0; panel < problem.Packed.Layout.PanelCount; panel++)
                        {
                            AssertPanel(problem, panel, path);
                        }
                    }
                },
                iter: 60);

    private static void AssertPanel(LowBitProblem problem, int panel, LowBitPath path)
    {
        PackedWeight weight = problem.Packed;
        int stride = weight.Layout.PaddedColumns, rows = weight.Layout.RowsIn(panel);
        byte[] scratch = new byte[CodeStream.ScratchBytes], target = new byte[rows * stride];
        fixed (byte* memory = scratch, to = target)
        {
            ColumnExpander.ExpandPanel(weight, panel, path, memory, to, stride);
        }

        for (int i = 0; i < target.Length; i++)
        {
            (int row, int column) = (panel * weight.Layout.PanelRows + i / stride, i % stride);
            int group = Math.Min(column / weight.GroupColumns, weight.GroupCount - 1);
            long index = (long)row * weight.GroupCount + group;
            float scale = BitConverter.UInt32BitsToSingle((uint)weight.Scales[index] << 16);
            float value = column < weight.Columns ? problem.PackedValues[row * weight.Columns + column] : 0;
            Assert.True(scale * (target[i] - weight.Zeros[index]) == value, $"{path}: row {row}, column {column}");
        }
    }
}
