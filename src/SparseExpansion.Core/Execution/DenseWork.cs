using System.Diagnostics.CodeAnalysis;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Memory;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Threading;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// The dense way: unpacks some panels to scratch memory and lets torch multiply them. Wins where torch has instructions
/// that .NET lacks (bfloat16 dot products) and the tokens are many. Unlike the sparse kernels it creates a few tensors
/// in each call; a thread that once used it keeps the scratch memory.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as its thread; tensors have finalizers.")]
internal sealed unsafe class DenseWork : IParallelWork
{
    // Unpacked at a time: large enough for torch to work well, small enough to stay in the last-level cache.
    private const int ChunkBytes = 8 * 1024 * 1024;

    [ThreadStatic]
    private static DenseWork? _current;

    private readonly DenseSlices _slices = new();
    private Tensor? _scratch;
    private PackedWeight? _weight;
    private InstructionSet _instructions;
    private byte* _target;
    private int _firstPanel;

    /// <summary>The instance of the calling thread.</summary>
    public static DenseWork Current => _current ??= new DenseWork();

    /// <summary>output[order[i]] = weight · tokens[order[i]] + bias.</summary>
    /// <param name="bias">[rows] float32, or null.</param>
    public void Multiply(
        PackedWeight weight, MatrixView tokens, int* order, int count, MatrixView output, float* bias,
        ExecutionOptions options)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();

        // bfloat16 arithmetic only where the tokens are bfloat16 too: it must not round what the caller kept exact.
        bool widen = weight.DType == ElementType.BFloat16 && !tokens.IsBFloat16;
        ScalarType dtype = widen ? ScalarType.Float32 : (ScalarType)weight.DType;
        Tensor gathered = Gather(tokens, order, count, weight.Columns, dtype);
        PackedLayout layout = weight.Layout;
        int threads = options.Degree;
        int panelCount = Math.Min(layout.PanelCount, options.Panels ?? int.MaxValue);
        InstructionSet instructions = options.Instructions ?? InstructionSets.Best;
        Tensor? addend = bias is null
            ? null
            : tensor(new ReadOnlySpan<float>(bias, layout.Rows).ToArray(), device: CPU).to(dtype);
        if (weight.DType == ElementType.BFloat16 && !widen && SerialTorch.IsAvailable)
        {
            _slices.Multiply(weight, gathered, addend, order, output, panelCount, instructions, threads);
            return;
        }

        int panels = (int)Math.Clamp(
            ChunkBytes / ((long)layout.PanelRows * layout.Columns * weight.ValueSize), 1, panelCount);
        long length = (long)panels * layout.PanelRows * layout.Columns;
        Tensor chunk = Scratch(ref _scratch, length, (ScalarType)weight.DType).narrow(0, 0, length).view(-1, layout.Columns);
        _weight = weight;
        _instructions = instructions;
        _target = RawMemory.Address(chunk);
        try
        {
            for (_firstPanel = 0; _firstPanel < panelCount; _firstPanel += panels)
            {
                int firstRow = _firstPanel * layout.PanelRows;
                int rows = Math.Min(panels * layout.PanelRows, layout.Rows - firstRow);
                WorkerPool.Run(this, Math.Min(panels, panelCount - _firstPanel), threads);
                using Tensor filled = chunk.narrow(0, 0, rows);
                using Tensor factor = widen ? filled.to(dtype) : filled.alias();
                using Tensor? share = addend?.narrow(0, firstRow, rows);
                using Tensor product = nn.functional.linear(gathered, factor, share);
                Scatter(product, order, output, firstRow, rows);
            }
        }
        finally
        {
            _weight = null; // The thread must not keep it alive.
        }

        RawMemory.KeepAlive(chunk);
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        PackedWeight weight = _weight!;
        long bytes = (long)weight.Layout.PanelRows * weight.Columns * weight.ValueSize;
        weight.UnpackPanel(_firstPanel + item, _target + item * bytes, weight.Columns, _instructions);
    }

    /// <summary>
    /// Scratch memory of at least so many elements, in place of what there was; it outlives the current dispose scope.
    /// </summary>
    /// <remarks>Kept between calls: fresh memory would cost a page fault for every page written.</remarks>
    public static Tensor Scratch(ref Tensor? kept, long length, ScalarType dtype)
    {
        if (kept is not null && kept.dtype == dtype && kept.numel() >= length)
        {
            return kept;
        }

        // Forgotten before it is replaced: where memory runs out, a later call must not find a disposed tensor.
        Tensor? old = kept;
        kept = null;
        old?.Dispose();
        Tensor scratch = empty([length], dtype: dtype, device: CPU).DetachFromDisposeScope();
        kept = scratch;
        MemoryAdvice.HugePages(RawMemory.Address(scratch), (nuint)(length * scratch.element_size()));
        RawMemory.KeepAlive(scratch);
        return scratch;
    }

    private static Tensor Gather(MatrixView tokens, int* order, int count, int columns, ScalarType dtype)
    {
        Tensor gathered = empty([count, columns], dtype: (ScalarType)tokens.DType, device: CPU);
        byte* target = RawMemory.Address(gathered);
        long bytes = (long)columns * tokens.ElementSize;
        for (int i = 0; i < count; i++)
        {
            Buffer.MemoryCopy(tokens.Row(order[i]), target + i * bytes, bytes, bytes);
        }

        RawMemory.KeepAlive(gathered);
        return gathered.to(dtype);
    }

    /// <summary>Writes a product [tokens, rows] to the rows of an output.</summary>
    public static void Scatter(Tensor product, int* order, MatrixView output, int firstRow, int rows)
    {
        MatrixView source = MatrixView.Of(product);
        for (int i = 0; i < product.shape[0]; i++)
        {
            byte* from = source.Row(i);
            byte* to = output.Row(order[i]) + (long)firstRow * output.ElementSize;
            if (source.DType == output.DType)
            {
                Buffer.MemoryCopy(from, to, (long)rows * output.ElementSize, (long)rows * output.ElementSize);
                continue;
            }

            for (int row = 0; row < rows; row++)
            {
                float value = source.IsBFloat16 ? BFloat16Format.Load(from, row) : ((float*)from)[row];
                if (output.IsBFloat16)
                {
                    ((ushort*)to)[row] = BFloat16Format.Round(value);
                }
                else
                {
                    ((float*)to)[row] = value;
                }
            }
        }

        RawMemory.KeepAlive(product);
    }
}
