using SparseExpansion.Execution;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Layers;
using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>A dense weight that a file holds in codes.</summary>
internal sealed class StoredRounding : IDisposable
{
    /// <summary>Rows that are decoded together.</summary>
    private const int ChunkRows = 4096;

    private readonly QuantizedWeight _weight;
    private readonly WeightGrid _grid;

    private StoredRounding(ExpandedQuantizedEntry entry, QuantizedWeight weight, WeightGrid grid) =>
        (Entry, _weight, _grid) = (entry, weight, grid);

    /// <summary>The weight in the index.</summary>
    public ExpandedQuantizedEntry Entry { get; }

    /// <summary>Opens and checks a weight.</summary>
    /// <param name="entry">The weight in the index.</param>
    /// <param name="file">The file with its tensors.</param>
    /// <exception cref="CheckpointException">A tensor is missing or damaged.</exception>
    public static StoredRounding Open(ExpandedQuantizedEntry entry, SafetensorsReader file)
    {
        QuantizationGrid? grid = null;
        Tensor? codes = null;
        try
        {
            codes = file.Map(ExpandedTensorNames.Codes(entry.Name));
            Tensor scales = file.Read(ExpandedTensorNames.Scales(entry.Name)),
                zeros = file.Read(ExpandedTensorNames.Zeros(entry.Name));
            grid = GridOf(entry, scales, zeros);
            return new StoredRounding(
                entry, QuantizedWeight.FromArrays(TensorArrays.Of(codes, "codes"), TensorArrays.Of(grid)), WeightGrid.Of(grid));
        }
        catch (CheckpointException error)
        {
            codes?.Dispose();
            grid?.Dispose();
            throw new CheckpointException($"{file.FilePath}: quantized weight '{entry.Name}': {PlainMessage.Clause(error)}", error);
        }
    }

    /// <summary>Decodes the weight into a tensor, of any dtype and device.</summary>
    public void CopyTo(Tensor target)
    {
        foreach ((int first, Tensor rows) in Decode())
        {
            using Tensor place = target.narrow(0, first, rows.shape[0]);
            place.copy_(rows);
        }
    }

    /// <summary>The weight as plain float32 values.</summary>
    public TensorSource Values() =>
        new(ScalarType.Float32, [_weight.Rows, _weight.Columns], () => Decode().Select(part => part.Rows));

    /// <summary>Lets a module remember the grid of its weight.</summary>
    public void Attach(nn.Module module) => RoundedWeights.Set(module, _grid);

    public void Dispose() => _weight.Dispose();

    private IEnumerable<(int First, Tensor Rows)> Decode()
    {
        for (int first = 0; first < _weight.Rows; first += ChunkRows)
        {
            using Tensor rows = DecodeRows(first, Math.Min(ChunkRows, _weight.Rows - first));
            yield return (first, rows);
        }
    }

    private unsafe Tensor DecodeRows(int first, int count)
    {
        Tensor rows = empty([count, _weight.Columns], ScalarType.Float32, CPU);
        _weight.Dequantize(first, new Span<float>(RawMemory.Address(rows), checked((int)rows.numel())));
        RawMemory.KeepAlive(rows);
        return rows;
    }

    private static QuantizationGrid GridOf(ExpandedQuantizedEntry entry, Tensor scales, Tensor zeros)
    {
        var quantization = new WeightQuantization { Bits = entry.Bits, GroupSize = entry.GroupSize == 0 ? null : entry.GroupSize };
        try
        {
            return scales.dim() == 2 && scales.shape[0] == entry.OutFeatures
                ? new QuantizationGrid(quantization, checked((int)entry.InFeatures), scales, zeros)
                : throw new CheckpointException($"there must be scales for {entry.OutFeatures} rows");
        }
        catch (Exception error)
        {
            scales.Dispose();
            zeros.Dispose();
            throw error as CheckpointException ?? new CheckpointException(PlainMessage.Clause(error), error);
        }
    }
}
