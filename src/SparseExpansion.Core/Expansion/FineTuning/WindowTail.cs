using SparseExpansion.Expansion.Pipeline;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Part of the model after a block, for windows of fine-tuning.</summary>
internal static class WindowTail
{
    /// <inheritdoc cref="ModelTail.Shorten"/>
    /// <param name="tail">The part of the model.</param>
    /// <param name="windows">All windows that outputs will be asked for.</param>
    /// <param name="batchWindows">Windows at a time.</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    public static void Shorten(
        this ModelTail tail, TuningWindows windows, int batchWindows, CancellationToken cancellationToken) =>
        tail.Shorten(
            windows.InOrder(0, windows.Count, batchWindows).Select(batch => (Func<(Tensor, Tensor)>)(() =>
            {
                TuningBatch read = windows.Read(batch);
                return (read.ModelInput!, read.Target);
            })),
            cancellationToken);
}
