using SparseExpansion.Calibration.Capture;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Compensation;

/// <summary>Compensates the errors of one input group.</summary>
/// <param name="group">The group, routed.</param>
/// <param name="dense">Inputs that the dense model hands it; disposed with this object.</param>
/// <param name="damping">λ as a share of the mean energy of a feature.</param>
internal sealed class GroupCompensation(GroupRun group, ActivationStore dense, double damping) : IGroupStep
{
    private InputShift? _shift;

    public bool ChangesWeights => true;

    /// <summary>
    /// The captured tokens, each with what the dense model hands the group in its place, [n, 2 · in_features].
    /// </summary>
    private ExpertTokens Pairs => group.Pruner.Divide(new TokenPairs(group.Captured, dense), group.Assignment!);

    public void OnStatistics(int first, ExpertStatistics statistics, CancellationToken cancellationToken)
    {
        _shift?.Dispose();
        _shift = null;
        _shift = LayerErrors.Named(group.Slots[0].Name, "error compensation", () => InputShift.Gather(
            Pairs, group.Pruner.Layer.InFeatures, damping, group.Pruner.Layer.Device, first, statistics.Experts.Count,
            cancellationToken), first);
    }

    public Tensor WeightOf(Tensor weight, int expert) => _shift!.Compensate(weight, expert);

    public double[] MeasureErrors(LayerRun layer, CancellationToken cancellationToken) =>
        OutputErrorMeter.MeasureShifted(layer.Weight, layer.Experts, Pairs, cancellationToken).PerExpert;

    public void Dispose()
    {
        _shift?.Dispose();
        dense.Dispose();
    }
}
