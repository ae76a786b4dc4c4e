using SparseExpansion.Analysis;
using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>The inputs of a block and the outputs of the dense block, in host memory, cut into windows.</summary>
internal sealed class TuningWindows
{
    private const long LongestWindow = 256;
    private const long LeastWindows = 20;

    private readonly IReadOnlyList<CalibrationBatch> _inputs;
    private readonly IReadOnlyList<CalibrationBatch> _targets;
    private readonly List<Window> _windows = [];
    private readonly Device _device;

    /// <param name="device">Where batches are wanted.</param>
    /// <param name="inputs">What the expanded block is called with.</param>
    /// <param name="targets">Outputs of a dense block for each of them.</param>
    public TuningWindows(Device device, IReadOnlyList<CalibrationBatch> inputs, IReadOnlyList<CalibrationBatch> targets)
    {
        (_inputs, _targets, _device) = (inputs, targets, device);
        Cut();
    }

    /// <summary>Number of windows.</summary>
    public int Count => _windows.Count;

    /// <summary>Batches of windows in random order; windows of different shape never meet.</summary>
    public IEnumerable<int[]> Shuffle(int first, int count, int batchWindows, Random random)
    {
        int[] order = [.. Enumerable.Range(first, count)];
        SeededRandom.ShuffleFront(order, count, random);
        return Group(order, batchWindows);
    }

    /// <summary>Batches of windows as they come.</summary>
    public IEnumerable<int[]> InOrder(int first, int count, int batchWindows) => Group(Enumerable.Range(first, count), batchWindows);

    /// <summary>Puts windows on the device; the tensors belong to the current dispose scope.</summary>
    public TuningBatch Read(int[] windows)
    {
        Window[] chosen = [.. windows.Select(index => _windows[index])];
        Tensor Gather(Func<Window, Tensor> source) => cat([.. chosen.Select(window => source(window).narrow(0, window.Start, window.Length))]).to(_device);
        return new TuningBatch(
            Gather(window => _inputs[window.Batch].Input.cpu()),
            Gather(window => _targets[window.Batch].Input),
            _inputs[chosen[0].Batch].Mask is null ? null : Gather(window => _inputs[window.Batch].Mask!.cpu()).to(ScalarType.Bool),
            windows.Length);
    }

    private void Cut()
    {
        long rows = _inputs.Sum(batch => batch.Input.shape[0]);
        for (int b = 0; b < _inputs.Count; b++)
        {
            (Tensor input, Tensor target) = (_inputs[b].Input, _targets[b].Input);
            bool divisible = target.Dimensions > 0 && target.shape[0] == input.shape[0];
            bool tokens = target.Dimensions == 2 && input.Dimensions == 2 && input.is_floating_point();
            long length = !divisible ? input.shape[0] : tokens ? Math.Clamp(rows / LeastWindows, 1, LongestWindow) : 1;
            for (long start = 0; start < input.shape[0]; start += length)
            {
                _windows.Add(new Window(b, start, Math.Min(length, input.shape[0] - start)));
            }
        }
    }

    private IEnumerable<int[]> Group(IEnumerable<int> windows, int batchWindows) =>
        windows.GroupBy(ShapeOf).SelectMany(group => group.Chunk(batchWindows));

    private string ShapeOf(int window)
    {
        CalibrationBatch batch = _inputs[_windows[window].Batch];
        return $"{batch.Input.dtype} {string.Join(",", batch.Input.shape[1..])} {batch.Mask is null}";
    }

    private sealed record Window(int Batch, long Start, long Length);
}
