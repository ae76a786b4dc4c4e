using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>
/// A part of a calibration batch that one step of fine-tuning may take: some rows, which are whole sequences or tokens.
/// </summary>
/// <param name="Batch">Index of the batch.</param>
/// <param name="Start">First row of its input.</param>
/// <param name="Length">Number of rows.</param>
internal sealed record TuningWindow(int Batch, long Start, long Length)
{
    private const long LongestWindow = 256;
    private const long LeastWindows = 20;

    /// <summary>Cuts batches; a window that is all padding is none.</summary>
    /// <remarks>
    /// By the inputs alone, so that what experts are made from and what judges them are cut alike: a row of what has
    /// more than two dimensions or holds ids is a sequence; rows of a matrix of floats are tokens, of which a window
    /// takes several; a vector stays whole, and so does a batch with further arguments: nothing says whether the rows
    /// of a mask [4, 4] are those of a batch of 4.
    /// </remarks>
    /// <exception cref="CalibrationException">A mask has no parts that belong to the rows of its input.</exception>
    public static IEnumerable<TuningWindow> Cut(IReadOnlyList<CalibrationBatch> inputs)
    {
        long rows = inputs.Sum(batch => batch.Input.shape[0]);
        for (int b = 0; b < inputs.Count; b++)
        {
            bool[]? counts = RowsThatCount(inputs[b], b);
            long all = inputs[b].Input.shape[0], parts = all == 0 ? 0 : ((all - 1) / LengthIn(inputs[b], rows)) + 1;
            for (long part = 0; part < parts; part++)
            {
                // Parts of about one length: a last one of a few rows would be held out and judge for all.
                long start = all * part / parts;
                var window = new TuningWindow(b, start, (all * (part + 1) / parts) - start);
                if (counts is null || counts.AsSpan((int)window.Start, (int)window.Length).Contains(true))
                {
                    yield return window;
                }
            }
        }
    }

    /// <summary>The window's part of something that belongs to its batch.</summary>
    /// <param name="whole">
    /// The input of the batch; or an output or a flat mask, which have as many rows or a multiple of them.
    /// </param>
    /// <param name="rows">Rows of the batch's input.</param>
    /// <returns>A view, in the current dispose scope; all of it where the window is all of the batch.</returns>
    public Tensor Of(Tensor whole, long rows) => Length == rows
        ? whole.alias()
        : whole.narrow(0, Start * (whole.shape[0] / rows), Length * (whole.shape[0] / rows));

    private static long LengthIn(CalibrationBatch batch, long rows) => batch.Input.Dimensions switch
    {
        _ when batch.Arguments is not null => batch.Input.shape[0],
        1 => batch.Input.shape[0],
        2 when batch.Input.is_floating_point() => Math.Clamp(rows / LeastWindows, 1, LongestWindow),
        _ => 1,
    };

    private static bool[]? RowsThatCount(CalibrationBatch batch, int index)
    {
        long rows = batch.Input.shape[0];
        if (batch.Mask is not { } mask || rows == 0)
        {
            return null;
        }

        if (batch.Input.Dimensions > 1 && (mask.Dimensions > 1 ? mask.shape[0] != rows : mask.numel() == 0 || mask.numel() % rows != 0))
        {
            throw new CalibrationException(
                $"The padding mask of calibration batch {index} is [{string.Join(", ", mask.shape)}], its input [{string.Join(", ", batch.Input.shape)}]: fine-tuning cuts both by the rows of the input, "
                + "so the mask must begin with these, or be flat in their order.");
        }

        using var scope = NewDisposeScope();
        Tensor flags = mask.to(ScalarType.Bool);
        return batch.Input.Dimensions > 1
            ? flags.reshape(rows, -1).any(1).cpu().data<bool>().ToArray()
            : [.. Enumerable.Repeat(flags.any().item<bool>(), checked((int)rows))];
    }
}
