using SparseExpansion.Calibration;

namespace SparseExpansion.Expansion;

/// <summary>A plan with its calibration batches, of which those that it makes itself live as long as this object.</summary>
internal sealed class OwnedBatches : IDisposable
{
    private readonly List<CalibrationBatch> _own = [];

    private OwnedBatches(ExpansionPlan plan) => Plan = plan;

    /// <summary>The plan with all its batches.</summary>
    public ExpansionPlan Plan { get; private set; }

    /// <exception cref="CalibrationException">The plan's source makes no batches.</exception>
    public static OwnedBatches Of(ExpansionPlan plan)
    {
        var owned = new OwnedBatches(plan);
        if (plan.BatchSource is null)
        {
            return owned;
        }

        try
        {
            foreach (CalibrationBatch batch in plan.BatchSource())
            {
                owned._own.Add(batch);
            }

            owned.Plan = owned._own.Count > 0
                ? plan with { Batches = owned._own }
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
