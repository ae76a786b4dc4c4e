using SparseExpansion.Calibration;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion;

/// <summary>What the dense model hands from block to block, beside what the expanded one does.</summary>
internal sealed class DenseStream(ExpansionPlan plan, CancellationToken cancellationToken) : IDisposable
{
    private IReadOnlyList<CalibrationBatch>? _outputs;

    /// <summary>True if an expansion needs it.</summary>
    public static bool IsNeeded(ExpansionPlan plan) => plan.Compensation is not null || plan.FineTuning?.Target == FineTuningTarget.DenseModel;

    /// <summary>What enters a unit in the dense model.</summary>
    /// <param name="inputs">What enters it in the expanded model: the same as long as nothing before it is expanded.</param>
    public IReadOnlyList<CalibrationBatch> Enter(IReadOnlyList<CalibrationBatch> inputs) => _outputs ?? inputs;

    /// <summary>Runs a unit as it was.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="installed">What has been installed in it.</param>
    /// <param name="inputs">What enters it in the expanded model.</param>
    /// <returns>The outputs, valid until the next call.</returns>
    public IReadOnlyList<CalibrationBatch> Advance(ExpansionUnit unit, IReadOnlyList<Replacement> installed, IReadOnlyList<CalibrationBatch> inputs)
    {
        _outputs = Replacement.WithDense(installed, () => _outputs is { } own
            ? HiddenStates.Propagate(unit.Calibration, own, plan.Memory, cancellationToken)
            : HiddenStates.Run(unit.Calibration, inputs, plan.Memory, cancellationToken));
        return _outputs;
    }

    /// <summary>Runs the units that are not expanded again, before anything is installed in them.</summary>
    /// <param name="units">All units.</param>
    /// <param name="finished">How many of them are finished; the next is a block.</param>
    public void Resume(IReadOnlyList<ExpansionUnit> units, int finished)
    {
        IReadOnlyList<CalibrationBatch> entry = BlockEntry.Capture(plan, units[0].Calibration.Device, cancellationToken);
        try
        {
            for (int u = 0; u < finished; u++)
            {
                Advance(units[u], [], entry);
            }
        }
        finally
        {
            HiddenStates.Dispose(entry);
        }
    }

    /// <summary>Frees the outputs.</summary>
    public void Dispose()
    {
        HiddenStates.Dispose(_outputs ?? []);
        _outputs = null;
    }
}
