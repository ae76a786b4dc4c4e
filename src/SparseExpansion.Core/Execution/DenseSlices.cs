using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Threading;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// The dense way, slice by slice: each worker unpacks a few panels into its own cache and lets torch multiply them
/// there, on that worker alone. The pool and torch's threads never wait for each other, and every product has the same
/// shape for any number of threads.
/// </summary>
internal sealed unsafe class DenseSlices : IParallelWork
{
    // Smaller slices cost torch more calls, larger ones leave the second-level cache.
    private const long SliceBytes = 2 * 1024 * 1024;

    private Tensor?[] _scratch = [];
    private PackedWeight? _weight;
    private Tensor? _tokens;
    private Tensor? _bias;
    private int* _order;
    private MatrixView _output;
    private InstructionSet _instructions;
    private int _slicePanels;
    private int _panelCount;

    /// <summary>Panels of a slice.</summary>
    public static int PanelsOfSlice(PackedWeight weight) =>
        (int)Math.Clamp(
            SliceBytes / ((long)weight.Layout.PanelRows * weight.Columns * weight.ValueSize), 1,
            weight.Layout.PanelCount);

    /// <summary>output[order[i]] = weight · tokens[i] + bias for the first panels.</summary>
    /// <param name="weight">Its dtype is that of the tokens.</param>
    /// <param name="tokens">[count, in_features], contiguous.</param>
    /// <param name="bias">[out_features] in the same dtype, or null.</param>
    public void Multiply(
        PackedWeight weight, Tensor tokens, Tensor? bias, int* order, MatrixView output, int panelCount,
        InstructionSet instructions, int threads)
    {
        PackedLayout layout = weight.Layout;
        (_weight, _tokens, _bias, _output, _panelCount, _instructions) =
            (weight, tokens, bias, output, panelCount, instructions);
        _order = order;
        _slicePanels = Math.Min(PanelsOfSlice(weight), panelCount);
        try
        {
            Reserve((long)_slicePanels * layout.PanelRows * layout.Columns, (ScalarType)weight.DType, threads);
            WorkerPool.Run(this, (panelCount + _slicePanels - 1) / _slicePanels, threads);
        }
        finally
        {
            (_weight, _tokens, _bias) = (null, null, null);
        }
    }

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        int threads = SerialTorch.Enter();
        try
        {
            MultiplySlice(item * _slicePanels, _scratch[worker]!);
        }
        finally
        {
            SerialTorch.Leave(threads);
        }
    }

    private void MultiplySlice(int firstPanel, Tensor scratch)
    {
        PackedWeight weight = _weight!;
        PackedLayout layout = weight.Layout;
        int firstRow = firstPanel * layout.PanelRows, lastPanel = Math.Min(firstPanel + _slicePanels, _panelCount);
        int rows = Math.Min(lastPanel * layout.PanelRows, layout.Rows) - firstRow;
        byte* target = RawMemory.Address(scratch);
        for (int panel = firstPanel; panel < lastPanel; panel++)
        {
            long offset = (long)(panel - firstPanel) * layout.PanelRows * layout.Columns * weight.ValueSize;
            weight.UnpackPanel(panel, target + offset, layout.Columns, _instructions);
        }

        using var noGrad = no_grad();
        using Tensor flat = scratch.narrow(0, 0, (long)rows * layout.Columns);
        using Tensor dense = flat.view(rows, layout.Columns);
        using Tensor? share = _bias?.narrow(0, firstRow, rows);
        using Tensor product = nn.functional.linear(_tokens!, dense, share);
        DenseWork.Scatter(product, _order, _output, firstRow, rows);
        RawMemory.KeepAlive(scratch);
    }

    // Kept between calls: fresh memory would cost a page fault for every page written.
    private void Reserve(long length, ScalarType dtype, int workers)
    {
        if (_scratch.Length < workers)
        {
            Array.Resize(ref _scratch, workers);
        }

        for (int worker = 0; worker < workers; worker++)
        {
            DenseWork.Scratch(ref _scratch[worker], length, dtype);
        }
    }
}
