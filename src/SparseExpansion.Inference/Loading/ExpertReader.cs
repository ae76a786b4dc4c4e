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

    /// <summary>Reads them.</summary>
    /// <param name="entry">The layer.</param>
    /// <param name="files">The files.</param>
    /// <exception cref="CheckpointException">The storage is unknown, or arrays are missing or damaged.</exception>
    public static PackedWeight[] Read(ExpandedLayerEntry entry, TensorFiles files) => entry.Storage switch
    {
        Packed or Quantized => ReadPacked(entry, files),
        Dense => PackDense(entry, files),
        _ => throw new CheckpointException(
            $"The experts are stored as '{entry.Storage}', which this version does not know."),
    };

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

    private static long[] ReadLayout(ExpandedLayerEntry entry, TensorFiles files)
    {
        int length = entry.Storage == Quantized ? 4 : 2;
        using NativeArray stored = files.Take(ExpandedTensorNames.Expert(entry.Name, "layout"), length);
        long[] layout = stored.Type == ElementType.Int64 ? stored.Span<long>(0, length).ToArray() : [];
        return layout.Length == length && layout.All(number => number is >= 0 and <= int.MaxValue)
            ? layout
            : throw new CheckpointException($"The packed experts have a malformed layout: [{string.Join(", ", layout)}].");
    }

    private static PackedWeight[] PackDense(ExpandedLayerEntry entry, TensorFiles files)
    {
        NativeArray stored = files.Take(
            ExpandedTensorNames.Expert(entry.Name, "weight"), entry.Experts, entry.OutFeatures, entry.InFeatures);
        if (!FloatNumbers.IsFloating(stored.Type))
        {
            throw new CheckpointException($"The experts are {stored.Type}, not a floating type.");
        }

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
