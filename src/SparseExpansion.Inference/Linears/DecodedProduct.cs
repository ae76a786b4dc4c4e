using SparseExpansion.Execution;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Dense;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Threading;

namespace SparseExpansion.Inference.Linears;

/// <summary>Multiplies with a weight in codes in float32: a few rows are decoded, then multiplied with all tokens.</summary>
internal sealed unsafe class DecodedProduct : IParallelWork
{
    private const int RowsOfItem = 16;

    [ThreadStatic]
    private static DecodedProduct? _current;

    private readonly WorkerScratch _scratch = new();
    private QuantizedWeight? _weight;
    private DenseBlock _block;

    /// <summary>output[token] = weight · tokens[token] + bias.</summary>
    public static void Run(QuantizedWeight weight, float* bias, TokenBlock tokens, float* output, nint stride)
    {
        if (tokens.Count > 0)
        {
            (_current ??= new DecodedProduct()).Multiply(weight, bias, tokens, output, stride);
        }
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        int first = item * RowsOfItem, rows = Math.Min(RowsOfItem, _weight!.Rows - first);
        byte* decoded = _scratch.Of(worker);
        _weight.Dequantize(first, new Span<float>(decoded, rows * _weight.Columns));
        DenseBlock block = _block;
        block.Weight = decoded;
        block.Rows = rows;
        block.Output += first;
        block.Bias = block.Bias is null ? null : block.Bias + first;
        DenseKernels<Float32Format>.Multiply(InstructionSets.Best, block);
    }

    private void Multiply(QuantizedWeight weight, float* bias, TokenBlock tokens, float* output, nint stride)
    {
        _weight = weight;
        _block = new DenseBlock
        {
            WeightStride = (nint)weight.Columns * sizeof(float),
            Columns = weight.Columns,
            Input = tokens.Data,
            InputStride = tokens.Stride,
            Tokens = tokens.Count,
            Output = output,
            OutputStride = stride,
            Bias = bias,
        };
        _scratch.Reserve((nuint)RowsOfItem * (nuint)weight.Columns * sizeof(float), tokens.Threads);
        try
        {
            WorkerPool.Run(this, (weight.Rows + RowsOfItem - 1) / RowsOfItem, tokens.Threads);
        }
        finally
        {
            _weight = null;
        }
    }
}
