using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Dense;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Threading;

namespace SparseExpansion.Execution.Tiling;

/// <summary>
/// A dense multiplication in progress: an item is a block of rows with all tokens. Each calling thread has its own,
/// which is used again without allocating.
/// </summary>
internal sealed unsafe class DenseWork : IParallelWork
{
    // From so many tokens on, rows of 16 bits are widened once for all of them: each four tokens would else do it.
    private const int TokensToWiden = 16;

    // Rows of a block, as float32, stay in half of a usual second-level cache while all tokens pass by.
    private const int BlockFloats = 96 * 1024;
    private const int MaximumRows = 64;
    private const int ItemsPerThread = 8;
    private const int RowStep = 4;

    [ThreadStatic]
    private static DenseWork? _current;

    private readonly WorkerScratch _scratch = new();
    private MatrixView _weight;
    private MatrixView _tokens;
    private MatrixView _output;
    private int _rows;
    private int _columns;
    private int _count;
    private int _rowsPerItem;
    private float* _bias;
    private InstructionSet _instructions;

    /// <summary>The work of the calling thread.</summary>
    public static DenseWork Current => _current ??= new DenseWork();

    private bool Widens => _count >= TokensToWiden && _weight.DType != ElementType.Float32;

    /// <summary>Multiplies; the arguments are those of <see cref="Dispatch.DenseMultiplication"/>.</summary>
    public void Run(
        MatrixView weight, int rows, int columns, MatrixView tokens, int count, MatrixView output, nint bias,
        int threads, InstructionSet instructions)
    {
        (_weight, _rows, _columns) = (weight, rows, columns);
        (_tokens, _count, _output) = (tokens, count, output);
        _bias = (float*)bias;
        _instructions = instructions;
        int fitting = Math.Min(BlockFloats / Math.Max(columns, 1), MaximumRows);
        int share = rows / Math.Max(threads * ItemsPerThread, 1);
        _rowsPerItem = Math.Max(Math.Min(fitting, share) / RowStep, 1) * RowStep;
        if (Widens)
        {
            _scratch.Reserve((nuint)_rowsPerItem * (nuint)columns * sizeof(float), threads);
        }

        WorkerPool.Run(this, (rows + _rowsPerItem - 1) / _rowsPerItem, threads);
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        int first = item * _rowsPerItem;
        var block = new DenseBlock
        {
            Weight = _weight.Row(first),
            WeightStride = (nint)_weight.RowStride * _weight.ElementSize,
            Rows = Math.Min(_rowsPerItem, _rows - first),
            Columns = _columns,
            Input = (float*)_tokens.Data,
            InputStride = (nint)_tokens.RowStride,
            Tokens = _count,
            Output = (float*)_output.Data + first,
            OutputStride = (nint)_output.RowStride,
            Bias = _bias is null ? null : _bias + first,
        };
        switch (_weight.DType)
        {
            case ElementType.BFloat16:
                Multiply<BFloat16Format>(ref block, worker);
                break;
            case ElementType.Float16:
                Multiply<Float16Format>(ref block, worker);
                break;
            default:
                DenseKernels<Float32Format>.Multiply(_instructions, block);
                break;
        }
    }

    private void Multiply<TFormat>(ref DenseBlock block, int worker)
        where TFormat : struct, IValueFormat
    {
        if (!Widens)
        {
            DenseKernels<TFormat>.Multiply(_instructions, block);
            return;
        }

        float* wide = (float*)_scratch.Of(worker);
        for (int row = 0; row < block.Rows; row++)
        {
            DenseKernels<TFormat>.Widen(
                _instructions, block.Weight + row * block.WeightStride, wide + (nint)row * _columns, _columns);
        }

        block.Weight = (byte*)wide;
        block.WeightStride = (nint)_columns * sizeof(float);
        DenseKernels<Float32Format>.Multiply(_instructions, block);
    }
}
