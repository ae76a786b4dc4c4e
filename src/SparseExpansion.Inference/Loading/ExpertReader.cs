using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Inference.Loading;

/// <summary>Reads the experts of a layer: packed ones where they lie in the file, dense ones packed anew.</summary>
internal static unsafe class ExpertReader
{
    private const string Packed = "packed-bitmask";
    private const string Quantized = "packed-bitmask-quantized";
    private const string Dense = "masked-dense";
    private const string LayoutName = "layout", Weight = "weight";

    /// <summary>True if every expert has tensors of its own.</summary>
    /// <param name="entry">The layer.</param>
    public static bool IsPacked(ExpandedLayerEntry entry) => entry.Storage is Packed or Quantized;

    /// <summary>The tensors of a layer's experts; null if their storage is unknown.</summary>
    /// <param name="entry">The layer.</param>
    public static IEnumerable<TensorNeed>? Needs(ExpandedLayerEntry entry) => entry.Storage switch
    {
        Packed or Quantized => PackedNeeds(entry),
        Dense => [TensorNeed.Floating(
            ExpandedTensorNames.Expert(entry.Name, Weight), entry.Experts, entry.OutFeatures, entry.InFeatures)],
        _ => null,
    };

    /// <summary>Reads experts whose tensors are known to fit.</summary>
    /// <param name="entry">The layer.</param>
    /// <param name="files">The files.</param>
    /// <exception cref="CheckpointException">Arrays are damaged.</exception>
    public static PackedWeight[] Read(ExpandedLayerEntry entry, TensorFiles files) =>
        entry.Storage == Dense ? PackDense(entry, files) : ReadPacked(entry, files);

    private static IEnumerable<TensorNeed> PackedNeeds(ExpandedLayerEntry entry)
    {
        yield return new TensorNeed(
            ExpandedTensorNames.Expert(entry.Name, LayoutName), [ElementType.Int64], [LayoutLength(entry)]);
        bool hasCodes = entry.Storage == Quantized;
        for (int expert = 0; expert < entry.Experts; expert++)
        {
            TensorNeed Need(string name, params IReadOnlyList<ElementType> types) =>
                TensorNeed.Array(ExpandedTensorNames.Expert(entry.Name, $"{expert}.{name}"), types);
            yield return hasCodes
                ? Need("values", ElementType.Byte)
                : Need("values", ElementType.Float32, ElementType.BFloat16);
            yield return Need("masks", ElementType.Byte);
            yield return Need("row_order", ElementType.Byte);
            yield return Need("panel_offsets", ElementType.Int64);
            if (hasCodes)
            {
                yield return Need("scales", ElementType.BFloat16);
                yield return Need("zeros", ElementType.Byte);
            }
        }
    }

    private static PackedWeight[] ReadPacked(ExpandedLayerEntry entry, TensorFiles files)
    {
        long[] layout = ReadLayout(entry, files);
        return ReadAll(entry.Experts, expert =>
        {
            NativeArray Take(string name) => files.Take(ExpandedTensorNames.Expert(entry.Name, $"{expert}.{name}"));
            int rows = (int)entry.OutFeatures, columns = (int)entry.InFeatures;
            PackedGrid? grid = layout.Length == 2
                ? null
                : new PackedGrid(
                    (int)layout[2], layout[3] == 0 ? null : (int)layout[3], rows, columns, Take("scales"), Take("zeros"));
            return PackedWeight.FromArrays(new PackedArrays(
                rows, columns, (int)layout[0], (int)layout[1], Take("values"), Take("masks"), Take("row_order"),
                Take("panel_offsets"), grid));
        });
    }

    private static int LayoutLength(ExpandedLayerEntry entry) => entry.Storage == Quantized ? 4 : 2;

    private static long[] ReadLayout(ExpandedLayerEntry entry, TensorFiles files)
    {
        using NativeArray stored = files.Take(ExpandedTensorNames.Expert(entry.Name, LayoutName));
        long[] layout = stored.Span<long>(0, LayoutLength(entry)).ToArray();
        return layout.All(number => number is >= 0 and <= int.MaxValue)
            ? layout
            : throw new CheckpointException($"The packed experts have a malformed layout: [{string.Join(", ", layout)}].");
    }

    private static PackedWeight[] PackDense(ExpandedLayerEntry entry, TensorFiles files)
    {
        using NativeArray stored = files.Take(ExpandedTensorNames.Expert(entry.Name, Weight));
        int rows = (int)entry.OutFeatures, columns = (int)entry.InFeatures;
        long size = (long)rows * columns;
        return ReadAll(entry.Experts, expert =>
        {
            nint address = stored.Address + (nint)(expert * size * ElementTypes.SizeOf(stored.Type));
            var dense = new NativeArray(address, size, stored.Type, null);
            if (dense.Type is ElementType.Float32 or ElementType.BFloat16)
            {
                return PackedWeightBuilder.Pack(dense.Pointer, rows, columns, dense.Type, NativeArray.Allocate);
            }

            using NativeArray wide = FloatNumbers.Copy(dense);
            return PackedWeightBuilder.Pack(wide.Pointer, rows, columns, wide.Type, NativeArray.Allocate);
        });
    }

    private static PackedWeight[] ReadAll(int count, Func<int, PackedWeight> read)
    {
        var experts = new List<PackedWeight>();
        try
        {
            for (int expert = 0; expert < count; expert++)
            {
                experts.Add(read(expert));
                if (experts[expert].DType != experts[0].DType)
                {
                    throw new CheckpointException(
                        $"The packed weight is damaged: expert {expert} is {experts[expert].DType}, expert 0 is {experts[0].DType}. Expand the model again or restore the file.");
                }
            }

            return [.. experts];
        }
        catch
        {
            experts.ForEach(expert => expert.Dispose());
            throw;
        }
    }
}
