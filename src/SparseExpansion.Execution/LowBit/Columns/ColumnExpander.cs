using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.LowBit.Codes;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>
/// Writes the codes of a panel in dense rows, a byte each. Pruned weights get the zero point of their group, which
/// stands for 0.
/// </summary>
internal static unsafe class ColumnExpander
{
    /// <summary>Expands a panel.</summary>
    /// <param name="weight">Codes under masks.</param>
    /// <param name="panel">The panel.</param>
    /// <param name="path">Instructions.</param>
    /// <param name="scratch">Memory of <see cref="CodeStream.ScratchBytes"/>.</param>
    /// <param name="target">[rows of the panel, stride]; whole blocks are written.</param>
    /// <param name="stride">Bytes from row to row.</param>
    public static void ExpandPanel(
        PackedWeight weight, int panel, LowBitPath path, byte* scratch, byte* target, nint stride)
    {
        PackedLayout layout = weight.Layout;
        var stream = new CodeStream(
            weight.Values, weight.PanelOffsets[panel], weight.PanelOffsets[panel + 1], weight.Bits, path, scratch);
        long piece = layout.FirstRowBlock(panel);
        ulong* masks = (ulong*)(weight.Masks + piece * layout.MaskBytes);
        byte* order = weight.RowOrder + piece;
        byte* panelZeros = weight.Zeros + (long)panel * layout.PanelRows * weight.GroupCount;
        int words = layout.BlockColumns / PackedLayout.MaskColumns, rows = layout.RowsIn(panel);
        for (int block = 0; block < layout.BlockCount; block++)
        {
            for (int slot = 0; slot < rows; slot++, masks += words)
            {
                int row = *order++;
                stream.Ensure();
                byte* zeros = panelZeros + (long)row * weight.GroupCount;
                byte* to = target + row * stride + block * layout.BlockColumns;
                for (int word = 0; word < words; word++, to += PackedLayout.MaskColumns)
                {
                    int group = Math.Min(
                        (block * layout.BlockColumns + word * PackedLayout.MaskColumns) / weight.GroupColumns,
                        weight.GroupCount - 1);
                    ExpandWord(masks + word, stream.Current, zeros[group], path, to);
                    stream.Current += BitOperations.PopCount(masks[word]);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ExpandWord(ulong* mask, byte* source, byte zero, LowBitPath path, byte* target)
    {
        switch (path)
        {
            case LowBitPath.Avx512Vbmi2:
                Vbmi2ByteExpander.Expand(mask, source, Vector512.Create(zero)).Store(target);
                break;
            case LowBitPath.Avx512:
                Avx512ByteExpander.Expand(mask, source, Vector512.Create(zero)).Store(target);
                break;
            case LowBitPath.Avx2:
                uint* halves = (uint*)mask;
                Vector256<byte> absent = Vector256.Create(zero);
                HalfByteExpander.Expand(halves, source, absent).Store(target);
                HalfByteExpander.Expand(halves + 1, source + BitOperations.PopCount(*halves), absent).Store(target + 32);
                break;
            default:
                Copy(*mask, source, zero, target);
                break;
        }
    }

    private static void Copy(ulong mask, byte* source, byte zero, byte* target)
    {
        for (int column = 0; column < PackedLayout.MaskColumns; column++, mask >>= 1)
        {
            target[column] = (mask & 1) != 0 ? *source++ : zero;
        }
    }
}
