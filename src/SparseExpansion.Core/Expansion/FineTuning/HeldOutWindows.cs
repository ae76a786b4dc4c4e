using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>The last windows of the calibration data, which judge what was learned from the others.</summary>
internal static class HeldOutWindows
{
    /// <summary>
    /// Batches without the windows that are held out: what experts may be made from. They judge only what has not seen
    /// them.
    /// </summary>
    /// <param name="inputs">All batches; stay with the caller.</param>
    /// <param name="share">Share of the windows that is held out.</param>
    /// <param name="views">Takes the tensors that the result has and <paramref name="inputs"/> has not.</param>
    public static IReadOnlyList<CalibrationBatch> LeaveOut(
        IReadOnlyList<CalibrationBatch> inputs, double share, List<Tensor> views)
    {
        using var scope = NewDisposeScope();
        TuningWindow[] windows = [.. TuningWindow.Cut(inputs)];
        if (windows.Length < 2)
        {
            return inputs;
        }

        TuningWindow last = windows[^(Count(windows.Length, share) + 1)];
        CalibrationBatch end = inputs[last.Batch];
        long rows = end.Input.shape[0], kept = last.Start + last.Length;
        return kept == rows
            ? [.. inputs.Take(last.Batch + 1)]
            : [.. inputs.Take(last.Batch), new CalibrationBatch(View(end.Input), end.Mask is null ? null : View(end.Mask.flatten()))];

        Tensor View(Tensor tensor)
        {
            views.Add((last with { Start = 0, Length = kept }).Of(tensor, rows).DetachFromDisposeScope());
            return views[^1];
        }
    }

    /// <summary>Number of windows that are held out: at least one, and never all of several.</summary>
    public static int Count(int windows, double share) =>
        Math.Clamp((int)Math.Round(share * windows), 1, Math.Max(1, windows - 1));
}
