using System.Numerics;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Execution.Packing;

/// <summary>
/// Turns float32 values in stream order into the codes of a grid, and a panel of codes into dense memory.
/// </summary>
internal static unsafe class QuantizedPacker
{
    [ThreadStatic]
    private static NativeBuffer? _scratch;

    /// <summary>Writes the codes of values that lie on the grid, after rounding to their dtype at most.</summary>
    /// <param name="values">float32 values in stream order.</param>
    /// <param name="weight">The weight with masks, row order and grid; its codes are written.</param>
    public static void Encode(float* values, PackedWeight weight)
    {
        PackedLayout layout = weight.Layout;
        byte* masks = weight.Masks, order = weight.RowOrder;
        long position = 0;
        for (int panel = 0; panel < layout.PanelCount; panel++)
        {
            for (int block = 0; block < layout.BlockCount; block++)
            {
                for (int slot = 0; slot < layout.RowsIn(panel); slot++, order++)
                {
                    long grid = (panel * (long)layout.PanelRows + *order) * weight.GroupCount;
                    for (int word = 0; word < layout.MaskBytes / sizeof(ulong); word++, masks += sizeof(ulong))
                    {
                        int count = BitOperations.PopCount(*(ulong*)masks);
                        if (count > 0)
                        {
                            long group = grid
                                + (block * (long)layout.BlockColumns + word * PackedLayout.MaskColumns)
                                / weight.GroupColumns;
                            EncodeGroup(values + position, position, count, weight, group);
                            position += count;
                        }
                    }
                }
            }
        }
    }

    /// <summary>Writes the rows of one panel to dense float32 memory.</summary>
    public static void UnpackPanel(PackedWeight weight, int panel, byte* dense, long rowStride, bool wide)
    {
        PackedLayout layout = weight.Layout;
        byte* scratch = (_scratch ??= new NativeBuffer()).Reserve((nuint)PanelDecoder.ScratchBytes(layout));
        EncodedBlock source = PanelDecoder.FirstBlock(weight, panel);
        for (int b = 0; b < layout.BlockCount; b++)
        {
            PanelBlock block = PanelDecoder.Next(ref source, 0, source.Rows, layout, scratch, indices: false, wide);
            PackedWeightPacker.UnpackBlock<Float32Format>(layout, b, &block, dense, rowStride, wide);
            PanelDecoder.NextBlock(ref source);
        }
    }

    private static void EncodeGroup(float* values, long position, int count, PackedWeight weight, long group)
    {
        float scale = BitConverter.UInt32BitsToSingle((uint)weight.Scales[group] << 16);
        int zero = weight.Zeros[group], maximum = (1 << weight.Bits) - 1;
        for (int i = 0; i < count; i++, position++)
        {
            int code = Math.Clamp((int)MathF.Round(values[i] / scale) + zero, 0, maximum);
            CodeBits.Set(weight.Values, position, weight.Bits, code);
        }
    }
}
