using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution.Packing;

/// <summary>Each damage meets the check that is there for it: the message says which.</summary>
public sealed class PackedArraysCheckTests
{
    [Fact]
    public void NonZeros_DamagedArrays_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        using PackedWeight packed = PackedWeight.Pack(randn(300, 200) * rand(300, 200).ge(Scalars.Of(0.7)));
        StoredTensors good = StoredTensors.Of(packed);
        long last = good.PanelOffsets.numel() - 1;
        AssertRefused(good with { BlockColumns = 100 }, "300 × 200 in blocks of 100 columns and panels of 128 rows is not possible");
        AssertRefused(good with { Rows = 299 }, "row order must have 299 elements, not 300");
        AssertRefused(good with { Columns = 257 }, "masks must have");
        AssertRefused(good with { Columns = 199 }, "values beyond column 199");
        AssertRefused(good with { Values = Less(good.Values) }, $"{packed.NonZeroCount} values besides the padding; there are {packed.NonZeroCount - 1}");
        AssertRefused(good with { Values = good.Values.narrow(0, 0, 3) }, "besides the padding; there are 0");
        AssertRefused(good with { Values = good.Values.to(ScalarType.Float64) }, "values must be float32 or bfloat16, not Float64");
        AssertRefused(good with { Values = good.Values.unsqueeze(0) }, "values must be a contiguous vector");
        AssertRefused(good with { Values = good.Values.repeat(2).slice(0, 0, 2 * good.Values.numel(), 2) }, "values must be a contiguous vector");
        AssertRefused(good with { Values = good.Values.narrow(0, 0, 0) }, "values must not be empty");
        AssertRefused(good with { Masks = Less(good.Masks) }, "masks must have 9608 elements, not 9607");
        AssertRefused(good with { Masks = good.Masks.to(ScalarType.Int8) }, "masks must be Byte, not Int8");
        AssertRefused(good with { RowOrder = good.RowOrder.to(ScalarType.Int32) }, "row order must be Byte");
        AssertRefused(good with { PanelOffsets = good.PanelOffsets.narrow(0, 0, last) }, "panel offsets must have 4 elements, not 3");
        AssertRefused(good with { PanelOffsets = Changed(good.PanelOffsets, 0, 1) }, "panel 0 starts at value 1 where the masks say 0");
        AssertRefused(good with { PanelOffsets = Changed(good.PanelOffsets, last, 1) }, $"the masks hold {packed.NonZeroCount} values, the panel offsets 1");
        AssertRefused(good with { RowOrder = Changed(good.RowOrder, 0, good.RowOrder[1].item<byte>()) }, "the row order of panel 0, block 0 is not a permutation");
        // The third panel has 44 rows: the last of its pieces is the row order's last.
        Assert.Equal(300, good.RowOrder.numel());
        AssertRefused(good with { RowOrder = Changed(good.RowOrder, 299, 44) }, "the row order of panel 2, block 0 is not a permutation");
    }

    [Fact]
    public void NonZeros_MasksOfTheLastBlock_EndAtTheLastColumn()
    {
        using var scope = NewDisposeScope();
        using PackedWeight packed = PackedWeight.Pack(zeros(1, 70));
        StoredTensors good = StoredTensors.Of(packed);
        Assert.Equal(128, good.BlockColumns);
        // Column 69 is bit 5 of byte 8; it needs a value, of which there is none.
        AssertRefused(good with { Masks = Changed(good.Masks, 8, 1 << 5), Values = Less(good.Values) }, "panel offsets 0");
        AssertRefused(good with { Masks = Changed(good.Masks, 8, 1 << 6) }, "a mask of block 0 has values beyond column 70");
        AssertRefused(good with { Masks = Changed(good.Masks, 15, 1 << 7) }, "a mask of block 0 has values beyond column 70");
    }

    [Fact]
    public void NonZeros_MoreThanNeeded_IsTaken()
    {
        using var scope = NewDisposeScope();
        using PackedWeight packed = PackedWeight.Pack(randn(3, 70));
        Assert.Equal(210, PackedArraysCheck.NonZeros(packed.Arrays));
        StoredTensors good = StoredTensors.Of(packed), longer = good with { Masks = nn.functional.pad(good.Masks, [0, 5]), Values = nn.functional.pad(good.Values, [0, 5]) };
        Assert.Equal(210, PackedArraysCheck.NonZeros(longer.ToArrays()));
    }

    [Fact]
    public void NonZeros_DamagedCodes_SaysWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randint(-7, 8, [3, 200]).to(ScalarType.Float32);
        var quantization = new WeightQuantization { GroupSize = 64 };
        using QuantizationGrid grid = QuantizationGrid.FromFloats(quantization, 200, ones(3, 4), Sevens(3));
        using PackedWeight packed = PackedWeight.Pack(weight, grid);
        StoredTensors good = StoredTensors.Of(packed);
        long count = packed.NonZeroCount, odd = count % 2;
        Assert.Equal(((count + 1) / 2) + PackedArrays.CodePadding, good.Values.numel());
        Assert.Equal(count, PackedArraysCheck.NonZeros(good.ToArrays()));
        // Codes, masks, rows of pieces, offsets, and two bytes of scale and one of zero point for each group.
        Assert.Equal(good.Values.numel() + good.Masks.numel() + good.RowOrder.numel() + (2 * 8) + (3 * 4 * 3), packed.StoredBytes);
        AssertRefused(good with { Values = Less(good.Values) }, $"besides the padding; there are {count + odd - 2}");
        AssertRefused(good with { Values = good.Values.to(ScalarType.Int8) }, "codes must be Byte, not Int8");
        using QuantizationGrid wide = QuantizationGrid.FromFloats(quantization, 201, ones(3, 4), Sevens(3));
        using QuantizationGrid high = QuantizationGrid.FromFloats(quantization, 200, ones(4, 4), Sevens(4));
        AssertRefused(good with { Grid = wide }, "the scales are for a matrix of 3 × 201, not 3 × 200");
        AssertRefused(good with { Grid = high }, "the scales are for a matrix of 4 × 200, not 3 × 200");
    }

    private static void AssertRefused(StoredTensors arrays, string problem) =>
        Assert.Contains(problem, Assert.Throws<CheckpointException>(() => PackedArraysCheck.NonZeros(arrays.ToArrays())).Message, StringComparison.Ordinal);

    private static Tensor Sevens(long rows) => ones(rows, 4) * Scalars.Of(7);

    private static Tensor Less(Tensor array) => array.narrow(0, 0, array.numel() - 1);

    private static Tensor Changed(Tensor array, long index, long value) => array.index_fill(0, tensor([index]), Scalars.Of(value));
}
