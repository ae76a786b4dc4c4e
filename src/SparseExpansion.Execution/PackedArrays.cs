using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// The flat arrays of a <see cref="PackedWeight"/>, ready to be stored and to be used again without copying. Rows are cut into
/// panels of <see cref="PanelRows"/>, columns into blocks of <see cref="BlockColumns"/>. The stream order is: panel, block, row
/// piece, column. The pieces of a block are sorted by their number of values, which keeps loops of sparse kernels predictable.
/// </summary>
/// <param name="Rows">Output features.</param>
/// <param name="Columns">Input features.</param>
/// <param name="BlockColumns">A multiple of 64, at most 256.</param>
/// <param name="PanelRows">At most 256.</param>
/// <param name="Values">
/// [non-zeros + at least 64], float32 or bfloat16: the values in stream order; the rest is padding. With a grid uint8 [non-zeros · bits / 8,
/// rounded up, + at least 16]: codes, the first of two 4-bit ones in the lower half of its byte.
/// </param>
/// <param name="Masks">[Rows · blocks · BlockColumns / 8 + at least 8], uint8: one bit per weight in stream order, lowest bit first; the rest is padding.</param>
/// <param name="RowOrder">[Rows · blocks], uint8: the row in its panel that each row piece belongs to.</param>
/// <param name="PanelOffsets">[panels + 1], int64: position in Values of the first value of each panel, then the total.</param>
/// <param name="Grid">What the codes of quantised weights stand for, in CPU memory; null for weights of full precision. Groups divide blocks.</param>
public sealed record PackedArrays(
    int Rows, int Columns, int BlockColumns, int PanelRows, Tensor Values, Tensor Masks, Tensor RowOrder, Tensor PanelOffsets,
    QuantizationGrid? Grid = null)
{
    /// <summary>Values that follow the last weight, so that a 512-bit load never leaves the array.</summary>
    internal const int ValuePadding = 64;

    /// <summary>Bytes that follow the last code, so that a load of sixteen of them never leaves the array.</summary>
    internal const int CodePadding = 16;

    /// <summary>Bytes that follow the last mask, so that reading a whole word never leaves the array.</summary>
    internal const int MaskPadding = 8;

    internal PackedLayout Layout => new(Rows, Columns, BlockColumns, PanelRows);
}
