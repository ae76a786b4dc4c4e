namespace SparseExpansion.Calibration.Capture;

/// <summary>Runs a part over all batches and keeps what one input group reads.</summary>
internal static class ActivationCapture
{
    /// <summary>Captures the inputs of a group; each pass ends as soon as the group has been called.</summary>
    /// <param name="part">The part of the model that holds the group.</param>
    /// <param name="group">The group; its first layer is watched.</param>
    /// <param name="batches">The inputs of the part with their padding masks.</param>
    /// <param name="cancellationToken">Observed between batches.</param>
    /// <param name="scratchFolder">Folder to write the tokens to; null keeps them in memory.</param>
    /// <returns>The tokens; the caller disposes the store.</returns>
    /// <exception cref="CalibrationException">No token was seen, or values are not finite.</exception>
    public static ActivationStore Capture(
        RunnablePart part, InputGroup group, IEnumerable<CalibrationBatch> batches,
        CancellationToken cancellationToken, string? scratchFolder = null)
    {
        var store = new ActivationStore(scratchFolder);
        try
        {
            foreach (CalibrationBatch batch in batches)
            {
                cancellationToken.ThrowIfCancellationRequested();
                CaptureBatch(part, group, batch, store);
            }

            return store.TokenCount > 0
                ? store
                : throw new CalibrationException(
                    $"No calibration token reached '{group.Name}': all are masked as padding.")
                { Layer = group.Name };
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Adds the inputs of a group in one batch to a store.</summary>
    public static void CaptureBatch(
        RunnablePart part, InputGroup group, CalibrationBatch batch, ActivationStore store)
    {
        int calls = 0;
        CalibrationTarget first = group.Layers[0];
        var hook = first.Module.register_forward_pre_hook((_, input) =>
        {
            store.Add(input, batch.Mask, first.Name);
            return ++calls < group.CallsPerForward ? input : throw new StopForwardException();
        });
        try
        {
            part.Run(batch, keepOutput: false);
        }
        finally
        {
            hook.remove();
        }
    }
}
