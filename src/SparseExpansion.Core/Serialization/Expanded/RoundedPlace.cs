using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Layers;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>A dense weight in a model that lies on a grid, as a file holds it: in codes.</summary>
/// <param name="Name">Module path.</param>
/// <param name="Weight">[out_features, in_features].</param>
/// <param name="Grid">The grid.</param>
internal sealed record RoundedPlace(string Name, Tensor Weight, WeightGrid Grid)
{
    /// <summary>Rows that are encoded together.</summary>
    private const long ChunkRows = 4096;

    /// <summary>The entry in the index.</summary>
    public ExpandedQuantizedEntry Entry => new(
        Name, Grid.Rows, Grid.Columns, Grid.Quantization.Bits, Grid.Quantization.GroupSize ?? 0);

    /// <summary>Those of a model that still lie on their grids; training moves them away.</summary>
    /// <param name="model">The model.</param>
    /// <param name="state">Its tensors that belong to no mixture.</param>
    public static IReadOnlyList<RoundedPlace> Find(nn.Module model, IReadOnlyDictionary<string, Tensor> state) =>
        [.. model.named_modules()
            .Where(entry => RoundedWeights.Find(entry.module) is not null && state.ContainsKey(ExpandedTensorNames.Weight(entry.name)))
            .Select(entry => new RoundedPlace(
                entry.name, state[ExpandedTensorNames.Weight(entry.name)], RoundedWeights.Find(entry.module)!))
            .Where(place => place.IsOnGrid())];

    /// <summary>Codes, scales and zero points, by name.</summary>
    public IEnumerable<KeyValuePair<string, TensorSource>> Sources()
    {
        int rows = Grid.Rows, groups = Grid.GroupCount;
        yield return new(
            ExpandedTensorNames.Codes(Name),
            new TensorSource(
                ScalarType.Byte, [QuantizedWeight.CodeLength(rows, Grid.Columns, Grid.Quantization.Bits)], Codes));
        yield return new(
            ExpandedTensorNames.Scales(Name),
            new TensorSource(ScalarType.BFloat16, [rows, groups], () => OfGrid(grid => grid.Scales)));
        yield return new(
            ExpandedTensorNames.Zeros(Name),
            new TensorSource(ScalarType.Byte, [rows, groups], () => OfGrid(grid => grid.Zeros)));
    }

    private bool IsOnGrid()
    {
        if (Weight.dim() != 2 || Weight.shape[0] != Grid.Rows || Weight.shape[1] != Grid.Columns)
        {
            return false;
        }

        return Chunks().All(chunk =>
        {
            using var scope = NewDisposeScope();
            using QuantizationGrid grid = Grid.RowsOf(chunk.First, chunk.Count);
            return grid.Contains(Weight.narrow(0, chunk.First, chunk.Count).cpu());
        });
    }

    private IEnumerable<Tensor> Codes()
    {
        foreach ((long first, long count) in Chunks())
        {
            using Tensor codes = Encode(first, count);
            yield return codes;
        }

        using Tensor padding = zeros(PackedArrays.CodePadding, ScalarType.Byte);
        yield return padding;
    }

    private unsafe Tensor Encode(long first, long count)
    {
        using var scope = NewDisposeScope();
        Tensor values = Weight.narrow(0, first, count).cpu().to(ScalarType.Float32).contiguous();
        using QuantizationGrid grid = Grid.RowsOf(first, count);
        QuantizedWeight encoded = QuantizedWeight.Encode(
            new ReadOnlySpan<float>(RawMemory.Address(values), checked((int)values.numel())), TensorArrays.Of(grid));
        using NativeArray owned = encoded.Codes; // The scales are the grid's.
        RawMemory.KeepAlive(values);
        Tensor codes = empty([encoded.Codes.Length - PackedArrays.CodePadding], ScalarType.Byte, CPU);
        owned.Span<byte>(0, checked((int)codes.numel())).CopyTo(
            new Span<byte>(RawMemory.Address(codes), checked((int)codes.numel())));
        RawMemory.KeepAlive(codes);
        return codes.MoveToOuterDisposeScope();
    }

    private IEnumerable<Tensor> OfGrid(Func<QuantizationGrid, Tensor> part)
    {
        using QuantizationGrid grid = Grid.RowsOf(0, Grid.Rows);
        yield return part(grid);
    }

    private IEnumerable<(long First, long Count)> Chunks()
    {
        for (long first = 0; first < Grid.Rows; first += ChunkRows)
        {
            yield return (first, Math.Min(ChunkRows, Grid.Rows - first));
        }
    }
}
