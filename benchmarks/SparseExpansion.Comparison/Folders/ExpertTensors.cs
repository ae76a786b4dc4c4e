using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Comparison.Folders;

/// <summary>The tensors of packed experts, as docs/format.md describes them.</summary>
internal static class ExpertTensors
{
    /// <summary>Bytes that are written at once.</summary>
    private const int PieceBytes = 1 << 24;

    /// <summary>The name of the storage in <c>expansion.json</c>.</summary>
    public static string KindOf(WeightStorage storage) =>
        storage.Bits is null ? "packed-bitmask" : "packed-bitmask-quantized";

    /// <summary>The tensors of a layer with random experts; the pool must live until they are written.</summary>
    public static IEnumerable<SafetensorsContent> Of(
        string layer, LinearShape linear, WeightStorage storage, ExpertPool pool)
    {
        for (int expert = 0; expert < storage.Experts; expert++)
        {
            PackedArrays arrays = pool.Next(linear);
            if (expert == 0)
            {
                long[] layout = arrays.Grid is { } codes
                    ? [arrays.BlockColumns, arrays.PanelRows, codes.Bits, codes.GroupSize ?? 0]
                    : [arrays.BlockColumns, arrays.PanelRows];
                yield return SafetensorsContent.Of<long>(
                    ExpandedTensorNames.Expert(layer, "layout"), ElementType.Int64, [layout.Length], layout);
            }

            yield return Content("values", arrays.Values);
            yield return Content("masks", arrays.Masks);
            yield return Content("row_order", arrays.RowOrder);
            yield return Content("panel_offsets", arrays.PanelOffsets);
            if (arrays.Grid is { } grid)
            {
                yield return Content("scales", grid.Scales, linear.Rows, grid.GroupCount);
                yield return Content("zeros", grid.Zeros, linear.Rows, grid.GroupCount);
            }

            SafetensorsContent Content(string name, NativeArray array, params long[] shape) => new(
                ExpandedTensorNames.Expert(layer, $"{expert}.{name}"), array.Type,
                shape.Length == 0 ? [array.Length] : shape, stream => Write(stream, array));
        }
    }

    private static unsafe void Write(Stream stream, NativeArray array)
    {
        for (long done = 0; done < array.ByteLength; done += PieceBytes)
        {
            stream.Write(new ReadOnlySpan<byte>(
                (byte*)array.Address + done, (int)Math.Min(PieceBytes, array.ByteLength - done)));
        }

        GC.KeepAlive(array);
    }
}
