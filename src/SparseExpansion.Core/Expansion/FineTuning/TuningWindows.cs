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
    private readonly IReadOnlyList<CalibrationBatch>? _modelInputs;
    private readonly Window[] _windows;
    private readonly Device _device;

    /// <param name="device">Where batches are wanted.</param>
    /// <param name="inputs">What the expanded block is called with.</param>
    /// <param name="targets">Outputs of a dense block for each of them.</param>
    /// <param name="modelInputs">What the model is called with for each of them; null where nobody asks for it.</param>
    /// <exception cref="SparseExpansionException">The model takes other windows than the block.</exception>
    public TuningWindows(
        Device device, IReadOnlyList<CalibrationBatch> inputs, IReadOnlyList<CalibrationBatch> targets, IReadOnlyList<CalibrationBatch>? modelInputs = null)
    {
        (_inputs, _targets, _modelInputs, _device) = (inputs, targets, modelInputs, device);
        if (modelInputs?.Zip(inputs).Any(pair => pair.First.Input.shape[0] != pair.Second.Input.shape[0]) ?? false)
        {
            throw new SparseExpansionException("The model's inputs and the block's differ in dimension 0, so windows of one are not windows of the other. Leave FineTuningOptions.OutputLoss out.");
        }

        _windows = [.. Cut(inputs, b => targets[b])];
    }

    /// <summary>Number of windows.</summary>
    public int Count => _windows.Length;

    /// <summary>Batches without the windows that are held out: what experts may be made from. They judge only what has not seen them.</summary>
    /// <param name="inputs">All batches; stay with the caller.</param>
    /// <param name="share">Share of the windows that is held out.</param>
    /// <param name="views">Takes the tensors that the result has and <paramref name="inputs"/> has not.</param>
    public static IReadOnlyList<CalibrationBatch> LeaveOut(IReadOnlyList<CalibrationBatch> inputs, double share, List<Tensor> views)
    {
        Window[] windows = [.. Cut(inputs, target: null)];
        if (windows.Length < 2)
        {
            return inputs;
        }

        Window last = windows[^(HeldOut(windows.Length, share) + 1)];
        long rows = last.Start + last.Length;
        CalibrationBatch end = inputs[last.Batch];
        return rows == end.Input.shape[0]
            ? [.. inputs.Take(last.Batch + 1)]
            : [.. inputs.Take(last.Batch), new CalibrationBatch(View(end.Input), end.Mask is null ? null : View(end.Mask))];

        Tensor View(Tensor tensor) // A mask may be flat: it has more rows then, in proportion.
        {
            views.Add(tensor.narrow(0, 0, tensor.shape[0] * rows / end.Input.shape[0]).DetachFromDisposeScope());
            return views[^1];
        }
    }

    /// <summary>How many windows of some are held out: at least one, and never all of several.</summary>
    public static int HeldOut(int windows, double share) => Math.Clamp((int)Math.Round(share * windows), 1, Math.Max(1, windows - 1));

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
            _modelInputs is null ? null : Gather(window => _modelInputs[window.Batch].Input.cpu()),
            windows.Length);
    }

    /// <param name="inputs">The batches.</param>
    /// <param name="target">Outputs of a batch; null where they are not known yet, and taken for what blocks put out.</param>
    private static IEnumerable<Window> Cut(IReadOnlyList<CalibrationBatch> inputs, Func<int, CalibrationBatch>? target)
    {
        long rows = inputs.Sum(batch => batch.Input.shape[0]);
        for (int b = 0; b < inputs.Count; b++)
        {
            long length = WindowLength(inputs[b].Input, target?.Invoke(b).Input, rows);
            for (long start = 0; start < inputs[b].Input.shape[0]; start += length)
            {
                yield return new Window(b, start, Math.Min(length, inputs[b].Input.shape[0] - start));
            }
        }
    }

    private static long WindowLength(Tensor input, Tensor? target, long rows)
    {
        bool divisible = target is null ? input.Dimensions > 1 : target.Dimensions > 0 && target.shape[0] == input.shape[0];
        bool tokens = (target is null || target.Dimensions == 2) && input.Dimensions == 2 && input.is_floating_point();
        return !divisible ? input.shape[0] : tokens ? Math.Clamp(rows / LeastWindows, 1, LongestWindow) : 1;
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
