using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Quantization;

public sealed class QuantizationGridTests
{
    public static TheoryData<int, int?> Settings => new() { { 4, 64 }, { 4, 128 }, { 4, null }, { 8, 64 }, { 8, 128 }, { 8, null }, { 2, 64 }, { 2, null }, { 3, 128 }, { 3, null } };

    [Theory]
    [MemberData(nameof(Settings))]
    public void FitAndRound_RandomWeights_AgreeWithTheReference(int bits, int? group)
    {
        foreach (int columns in new[] { 1, 63, 64, 130, 256 })
        {
            using var scope = NewDisposeScope();
            Tensor weight = Sparse(columns, 5, columns);
            using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization { Bits = bits, GroupSize = group });
            float[] dense = weight.data<float>().ToArray(), rounded = grid.Round(weight).data<float>().ToArray();
            float[] scales = grid.Scales.to(ScalarType.Float32).data<float>().ToArray();
            byte[] zeros = grid.Zeros.data<byte>().ToArray();
            int width = group ?? columns, groups = (columns + width - 1) / width;
            for (int i = 0; i < dense.Length; i++)
            {
                int row = i / columns, first = i % columns / width * width, index = row * groups + i % columns / width;
                (float scale, int zero) = GridReference.Fit(dense.Skip(row * columns + first).Take(Math.Min(width, columns - first)), bits);
                Assert.Equal((scale, zero), (scales[index], zeros[index]));
                Assert.Equal(GridReference.Round(dense[i], scale, zero, bits), rounded[i], 0.5001 * scale);
                Assert.Equal(Math.Abs(GridReference.Round(dense[i], scale, zero, bits) - dense[i]), Math.Abs(rounded[i] - dense[i]), 1e-6 * Math.Abs(dense[i]) + 1e-30);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Round_Twice_ChangesNothingAndKeepsZeros(int bits, int? group)
    {
        using var scope = NewDisposeScope();
        Tensor weight = Sparse(7, 20, 200);
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization { Bits = bits, GroupSize = group });
        Tensor once = grid.Round(weight);

        Assert.False(grid.Contains(weight));
        Assert.True(grid.Contains(once));
        Assert.True(grid.Round(once).eq(once).all().item<bool>());
        Assert.True(once.masked_select(weight.eq(Scalars.Of(0))).eq(Scalars.Of(0)).all().item<bool>());
        Assert.True(grid.Contains(grid.Round(weight.to(ScalarType.BFloat16))), "bfloat16 weights are not found again.");
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-40f)]
    [InlineData(3e38f)]
    public void Fit_ExtremeWeights_StaysFinite(float magnitude)
    {
        using var scope = NewDisposeScope();
        Tensor weight = full([2, 64], Scalars.Of(magnitude));
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization());
        Tensor rounded = grid.Round(weight);
        Assert.True(rounded.isfinite().all().item<bool>());
        const float SmallestScale = 1e-38f; // Weights below what a bfloat16 scale can hold become 0.
        Assert.True((rounded - weight).abs().max().item<float>() <= Math.Max(magnitude / 15, SmallestScale));
    }

    [Fact]
    public void Validate_OptionOutOfRange_NamesIt()
    {
        Assert.Equal("Bits", Assert.Throws<ArgumentOutOfRangeException>(() => new WeightQuantization { Bits = 5 }.Validate()).ParamName);
        Assert.Equal("GroupSize", Assert.Throws<ArgumentOutOfRangeException>(() => new WeightQuantization { GroupSize = 100 }.Validate()).ParamName);
    }

    [Fact]
    public void BadInput_Throws()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentNullException>(() => QuantizationGrid.Fit(null!, new WeightQuantization()));
        Assert.Throws<ArgumentNullException>(() => QuantizationGrid.Fit(randn(2, 3), null!));
        Assert.Throws<ArgumentException>(() => QuantizationGrid.Fit(randn(3), new WeightQuantization()));
        Assert.Throws<ArgumentException>(() => QuantizationGrid.Fit(randn(0, 3), new WeightQuantization()));
        Assert.Throws<ArgumentException>(() => new QuantizationGrid(new WeightQuantization(), 130, ones(2, 1, ScalarType.BFloat16), zeros(2, 1, ScalarType.Byte)));
        Assert.Throws<ArgumentException>(() => new QuantizationGrid(new WeightQuantization(), 128, ones(2, 1), zeros(2, 1, ScalarType.Byte)));
        using QuantizationGrid grid = QuantizationGrid.Fit(randn(2, 3), new WeightQuantization());
        Assert.Throws<ArgumentException>(() => grid.Round(randn(3, 2)));
    }

    [Fact]
    public void FitRoundContains_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor weight = randn(3, 130);
        using QuantizationGrid grid = QuantizationGrid.Fit(weight, new WeightQuantization());
        using Tensor rounded = grid.Round(weight);
        Assert.True(grid.Contains(rounded));
    });

    private static Tensor Sparse(int seed, long rows, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        Tensor kept = rand(rows, columns, generator: generator) < Scalars.Of(0.5);
        return (randn(rows, columns, generator: generator) * kept).MoveToOuterDisposeScope();
    }
}
