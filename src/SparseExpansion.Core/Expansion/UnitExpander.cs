using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion;

/// <summary>Expands the linears of one unit, input group by input group, and installs them.</summary>
/// <param name="plan">What to do.</param>
/// <param name="replacements">Takes what is installed, to be undone if need be.</param>
/// <param name="report">Told of every step: stage, layers, share of the unit that is done.</param>
/// <param name="cancellationToken">Observed between steps.</param>
internal sealed class UnitExpander(
    ExpansionPlan plan, List<Replacement> replacements, Action<ExpansionStage, string?, double> report, CancellationToken cancellationToken)
{
    /// <summary>Finds the linears that read the same tensor.</summary>
    public static IReadOnlyList<InputGroup> FindGroups(ExpansionUnit unit, IReadOnlyList<CalibrationBatch> batches, CancellationToken cancellationToken) =>
        InputGroupFinder.Find(
            unit.Calibration, [.. unit.Slots.Select(slot => new CalibrationTarget(slot.Name, slot.Dense))], batches, cancellationToken);

    /// <summary>Expands a unit.</summary>
    /// <param name="unit">The unit; it has targets.</param>
    /// <param name="batches">What it is called with.</param>
    /// <param name="denseBatches">What it is called with in the dense model.</param>
    /// <param name="groupsBefore">Groups of the units before it; they number the seeds.</param>
    /// <returns>One report for each group.</returns>
    public IReadOnlyList<IReadOnlyList<LayerReport>> Expand(
        ExpansionUnit unit, IReadOnlyList<CalibrationBatch> batches, IReadOnlyList<CalibrationBatch> denseBatches, int groupsBefore)
    {
        report(ExpansionStage.Discovery, null, 0);
        int installedBefore = unit.IsBlock ? replacements.Count : 0;
        IReadOnlyList<InputGroup> groups = FindGroups(unit, batches, cancellationToken);
        var reports = new List<IReadOnlyList<LayerReport>>();
        var waiting = new List<Replacement>();
        try
        {
            for (int g = 0; g < groups.Count; g++)
            {
                double share = (double)g / groups.Count;
                report(ExpansionStage.Calibration, groups[g].Name, share);
                using ActivationStore? dense = plan.Compensation is null
                    ? null
                    : CaptureDense(unit, groups[g], batches, denseBatches, replacements[installedBefore..]);
                var expanded = ExpandGroup(unit, groups[g], batches, dense, plan.Options.Seed + groupsBefore + g, (stage, layer, within) => report(stage, layer, share + (within / groups.Count)));
                waiting.AddRange(expanded.Select(entry => entry.Replacement));
                reports.Add([.. expanded.Select(entry => entry.Report)]);
                if (plan.WithinBlock == BlockInputs.Expanded)
                {
                    Install(waiting);
                }
            }

            Install(waiting);
            return reports;
        }
        finally
        {
            waiting.ForEach(replacement => replacement.Mixture.Dispose());
        }
    }

    /// <summary>Installs mixtures and empties the list.</summary>
    public void Install(List<Replacement> waiting)
    {
        foreach (Replacement replacement in waiting)
        {
            replacements.Add(replacement);
            replacement.Install();
        }

        waiting.Clear();
    }

    private IReadOnlyList<(Replacement Replacement, LayerReport Report)> ExpandGroup(
        ExpansionUnit unit, InputGroup group, IReadOnlyList<CalibrationBatch> batches, ActivationStore? dense, long seed,
        Action<ExpansionStage, string, double> reportGroup)
    {
        using ActivationStore tokens = ActivationCapture.Capture(unit.Calibration, group, batches, cancellationToken, plan.Memory?.ScratchFolder);
        CheckPairs(group, tokens, dense);
        var expanded = new GroupExpander(plan, reportGroup, cancellationToken)
            .Expand([.. group.Layers.Select(layer => unit.Slots.Single(slot => slot.Name == layer.Name))], tokens, dense, seed);
        foreach ((_, LayerReport layer) in expanded)
        {
            Instruments.Layers.Add(1);
            Instruments.Tokens.Add(layer.Tokens);
            Log.LayerExpanded(plan.Logger, layer.Name, layer.Experts, layer.Tokens, layer.Sparsity, layer.OutputError);
        }

        return expanded;
    }

    private static void CheckPairs(InputGroup group, ActivationStore tokens, ActivationStore? dense)
    {
        if (dense is null || tokens.CallTokens.SequenceEqual(dense.CallTokens))
        {
            return;
        }

        int call = Enumerable.Range(0, tokens.CallTokens.Count).FirstOrDefault(i => i >= dense.CallTokens.Count || tokens.CallTokens[i] != dense.CallTokens[i]);
        throw new CalibrationException(
            $"Layer '{group.Name}' gets {tokens.CallTokens[call]} tokens from the expanded model on its call {call}, and {dense.CallTokens.ElementAtOrDefault(call)} from the dense one, "
            + "so its errors cannot be compensated for. Leave it out of the targets, or error compensation out.")
        { Layer = group.Name };
    }

    /// <summary>What the dense model hands a group; null where that is what the expanded one hands it.</summary>
    private ActivationStore? CaptureDense(
        ExpansionUnit unit, InputGroup group, IReadOnlyList<CalibrationBatch> batches, IReadOnlyList<CalibrationBatch> denseBatches, List<Replacement> installed) =>
        installed.Count == 0 && ReferenceEquals(batches, denseBatches)
            ? null
            : Replacement.WithDense(
                installed, () => ActivationCapture.Capture(unit.Calibration, group, denseBatches, cancellationToken, plan.Memory?.ScratchFolder));
}
