using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>The arrays of a packed weight as tensors, to be damaged by <c>with</c>.</summary>
internal sealed record StoredTensors(
    int Rows, int Columns, int BlockColumns, int PanelRows, Tensor Values, Tensor Masks, Tensor RowOrder, Tensor PanelOffsets, QuantizationGrid? Grid)
{
    /// <summary>The live arrays of a weight.</summary>
    public static StoredTensors Of(PackedWeight weight) => new(
        weight.Rows, weight.Columns, weight.Arrays.BlockColumns, weight.Arrays.PanelRows, weight.Arrays.Values.AsTensor(), weight.Arrays.Masks.AsTensor(),
        weight.Arrays.RowOrder.AsTensor(), weight.Arrays.PanelOffsets.AsTensor(), weight.Arrays.Grid?.AsTensors());

    /// <summary>The tensors as kernels see them.</summary>
    public PackedArrays ToArrays() => new(
        Rows, Columns, BlockColumns, PanelRows, TensorArrays.Of(Values, Grid is null ? "values" : "codes"), TensorArrays.Of(Masks, "masks"),
        TensorArrays.Of(RowOrder, "row order"), TensorArrays.Of(PanelOffsets, "panel offsets"), Grid is null ? null : TensorArrays.Of(Grid));
}
