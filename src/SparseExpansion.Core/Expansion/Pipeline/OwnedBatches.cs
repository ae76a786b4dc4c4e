using SparseExpansion.Calibration;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// The calibration batches of a request, of which those that it makes itself live as long as this object.
/// </summary>
internal sealed class OwnedBatches : IDisposable
{
    private readonly List<CalibrationBatch> _own = [];

    private OwnedBatches(IReadOnlyList<CalibrationBatch> batches) => Batches = batches;

    /// <summary>All batches.</summary>
    public IReadOnlyList<CalibrationBatch> Batches { get; private set; }

    /// <exception cref="CalibrationException">The source of the request makes no batches.</exception>
    public static OwnedBatches Of(ExpansionRequest request)
    {
        var owned = new OwnedBatches(request.Batches);
        if (request.BatchSource is null)
        {
            return owned;
        }

        try
        {
            foreach (CalibrationBatch batch in request.BatchSource())
            {
                owned._own.Add(batch);
            }

            owned.Batches = owned._own.Count > 0
                ? owned._own
                : throw new CalibrationException("The function that CalibrateOn was given makes no batches.");
            return owned;
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (CalibrationBatch batch in _own)
        {
            batch.Input.Dispose();
            batch.Mask?.Dispose();
        }
    }
}
