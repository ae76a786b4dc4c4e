using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution;

/// <summary>
/// The flat arrays of a <see cref="PackedWeight"/>, ready to be stored and to be used again without copying. Rows are
/// cut into panels of <see cref="PanelRows"/>, columns into blocks of <see cref="BlockColumns"/>. The stream order is:
/// panel, block, row piece, column. The pieces of a block are sorted by their number of values, which keeps loops of
/// sparse kernels predictable.
/// </summary>
/// <param name="rows">Output features.</param>
/// <param name="columns">Input features.</param>
/// <param name="blockColumns">A multiple of 64, at most 256.</param>
/// <param name="panelRows">At most 256.</param>
/// <param name="values">
/// [non-zeros + at least 64], float32 or bfloat16: the values in stream order; the rest is padding. With a grid uint8
/// [non-zeros · bits / 8, rounded up, + at least 64]: codes without gaps, the first in the lowest bits of the first byte.
/// </param>
/// <param name="masks">[rows · blocks · block columns / 8 + at least 8], uint8: one bit per weight in stream order,
/// lowest bit first; the rest is padding.</param>
/// <param name="rowOrder">[rows · blocks], uint8: the row in its panel that each row piece belongs to.</param>
/// <param name="panelOffsets">[panels + 1], int64: position in the values of the
/// first value of each panel, then the total.</param>
/// <param name="grid">The grid of the codes of quantized weights; null for weights
/// of full precision. Groups divide blocks.</param>
public sealed class PackedArrays(
    int rows, int columns, int blockColumns, int panelRows, NativeArray values, NativeArray masks, NativeArray rowOrder,
    NativeArray panelOffsets, PackedGrid? grid = null) : IDisposable
{
    /// <summary>Values that follow the last weight, so that a 512-bit load never leaves the array.</summary>
    internal const int ValuePadding = 64;

    /// <summary>Bytes that follow the last code, so that a load of 512 bits never leaves the array.</summary>
    internal const int CodePadding = 64;

    /// <summary>Bytes that follow the last mask, so that reading a whole word never leaves the array.</summary>
    internal const int MaskPadding = 8;

    /// <summary>Output features.</summary>
    public int Rows => rows;

    /// <summary>Input features.</summary>
    public int Columns => columns;

    /// <summary>Columns of a block.</summary>
    public int BlockColumns => blockColumns;

    /// <summary>Rows of a panel.</summary>
    public int PanelRows => panelRows;

    /// <summary>Values or codes.</summary>
    public NativeArray Values => values;

    /// <summary>One bit per weight.</summary>
    public NativeArray Masks => masks;

    /// <summary>The row of each row piece.</summary>
    public NativeArray RowOrder => rowOrder;

    /// <summary>The start of the values of each panel.</summary>
    public NativeArray PanelOffsets => panelOffsets;

    /// <summary>The grid of the codes; null for weights of full precision.</summary>
    public PackedGrid? Grid => grid;

    internal PackedLayout Layout => new(Rows, Columns, BlockColumns, PanelRows);

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        Masks.Dispose();
        RowOrder.Dispose();
        PanelOffsets.Dispose();
        Grid?.Dispose();
    }
}
