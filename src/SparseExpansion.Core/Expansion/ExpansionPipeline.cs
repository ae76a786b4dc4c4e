using SparseExpansion.Calibration;
using SparseExpansion.Internal;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>One run: block by block, input group by input group. Undoes everything when it does not reach the end.</summary>
internal sealed class ExpansionPipeline(ExpansionPlan plan, IProgress<ExpansionProgress>? progress, CancellationToken cancellationToken)
{
    private readonly List<Replacement> _replacements = [];
    private readonly List<LayerReport> _reports = [];
    private int _groupsDone;

    public ExpansionResult Run()
    {
        long started = plan.Options.TimeProvider.GetTimestamp();
        IReadOnlyList<ExpansionUnit> units = UnitPlanner.Plan(plan);
        CalibrationGuard.Check(plan, units[0].Calibration.Device);
        Log.ExpansionStarted(plan.Logger, units.Sum(unit => unit.Slots.Count), plan.Trainer!.Name, plan.Sparsifier!.Name, plan.Target!);
        using var modes = new EvaluationMode(plan.Model);
        try
        {
            ExpandUnits(units);
            ExpansionReport report = CreateReport(plan.Options.TimeProvider.GetElapsedTime(started).TotalSeconds);
            progress?.Report(new ExpansionProgress(ExpansionStage.Finished, units.Count - 1, units.Count, null, 1));
            Log.ExpansionFinished(plan.Logger, report.Layers.Count, report.Seconds);
            return new ExpansionResult(plan.Model, report, _replacements);
        }
        catch (Exception e)
        {
            Log.ExpansionUndone(plan.Logger, e.GetType().Name);
            Replacement.UndoAll(_replacements);
            throw;
        }
    }

    private void ExpandUnits(IReadOnlyList<ExpansionUnit> units)
    {
        IReadOnlyList<CalibrationBatch> hidden = [];
        try
        {
            if (units[0].IsBlock)
            {
                BlockEntry.CheckChain(plan, units[0].Calibration.Device);
                hidden = BlockEntry.Capture(plan, units[0].Calibration.Device, cancellationToken);
            }

            for (int u = 0; u < units.Count; u++)
            {
                ExpandUnit(units, u, units[u].IsBlock ? hidden : plan.Batches);
                if (u + 1 < units.Count && units[u + 1].IsBlock)
                {
                    Report(ExpansionStage.Propagation, units, u, null, 1);
                    hidden = Propagate(units[u].Calibration, hidden);
                }

                Pack();
            }
        }
        finally
        {
            DisposeAll(hidden);
        }
    }

    private void ExpandUnit(IReadOnlyList<ExpansionUnit> units, int index, IReadOnlyList<CalibrationBatch> batches)
    {
        ExpansionUnit unit = units[index];
        if (unit.Slots.Count == 0)
        {
            return;
        }

        Report(ExpansionStage.Discovery, units, index, null, 0);
        Dictionary<string, ModuleSlot> slots = unit.Slots.ToDictionary(slot => slot.Name);
        IReadOnlyList<InputGroup> groups = InputGroupFinder.Find(
            unit.Calibration, [.. unit.Slots.Select(slot => new CalibrationTarget(slot.Name, slot.Dense))], batches.Select(batch => batch.Input), cancellationToken);
        var waiting = new List<Replacement>();
        try
        {
            for (int g = 0; g < groups.Count; g++)
            {
                double share = (double)g / groups.Count;
                IReadOnlyList<Replacement> expanded = ExpandGroup(
                    unit, groups[g], slots, batches, (stage, layer) => Report(stage, units, index, layer, share));
                waiting.AddRange(expanded);
                if (plan.Options.WithinBlock == BlockInputs.Expanded)
                {
                    Install(waiting);
                }
            }

            Install(waiting);
        }
        finally
        {
            waiting.ForEach(replacement => replacement.Mixture.Dispose());
        }
    }

    private Replacement[] ExpandGroup(
        ExpansionUnit unit, InputGroup group, Dictionary<string, ModuleSlot> slots, IReadOnlyList<CalibrationBatch> batches, Action<ExpansionStage, string> report)
    {
        report(ExpansionStage.Calibration, group.Name);
        using ActivationStore tokens = ActivationCapture.Capture(unit.Calibration, group, batches, cancellationToken);
        long seed = plan.Options.Seed + _groupsDone++;
        var expanded = new GroupExpander(plan, report, cancellationToken)
            .Expand([.. group.Layers.Select(layer => slots[layer.Name])], tokens, seed);
        foreach ((_, LayerReport layer) in expanded)
        {
            Log.LayerExpanded(plan.Logger, layer.Name, layer.Experts, layer.Tokens, layer.Sparsity, layer.OutputError);
            _reports.Add(layer);
        }

        return [.. expanded.Select(entry => entry.Replacement)];
    }

    private void Install(List<Replacement> waiting)
    {
        foreach (Replacement replacement in waiting)
        {
            _replacements.Add(replacement);
            replacement.Install();
        }

        waiting.Clear();
    }

    /// <summary>Packs what is installed, after it has fed the next block: packed kernels may round differently from run to run.</summary>
    private void Pack()
    {
        foreach (SparseMixtureLayer layer in _replacements.Select(replacement => replacement.Mixture))
        {
            if (plan.Options.Pack && PackedExperts.Supports(layer.Experts))
            {
                layer.Pack();
            }
        }
    }

    private List<CalibrationBatch> Propagate(CalibrationUnit unit, IReadOnlyList<CalibrationBatch> batches)
    {
        var outputs = new List<CalibrationBatch>(batches.Count);
        try
        {
            foreach (CalibrationBatch batch in batches)
            {
                cancellationToken.ThrowIfCancellationRequested();
                outputs.Add(batch with { Input = unit.Run(batch.Input, keepOutput: true)! });
                batch.Input.Dispose();
            }

            return outputs;
        }
        catch
        {
            DisposeAll(outputs);
            throw;
        }
    }

    private ExpansionReport CreateReport(double seconds) => new()
    {
        Manifest = ManifestFactory.Create(plan, _reports),
        Layers = [.. _reports.Zip(_replacements, (layer, replacement) => layer with { ExpertBytes = replacement.Mixture.ExpertBytes })],
        Seconds = seconds,
    };

    private void Report(ExpansionStage stage, IReadOnlyList<ExpansionUnit> units, int unit, string? layer, double shareOfUnit) =>
        progress?.Report(new ExpansionProgress(stage, unit, units.Count, layer, (unit + shareOfUnit) / units.Count));

    private static void DisposeAll(IEnumerable<CalibrationBatch> hidden)
    {
        foreach (CalibrationBatch batch in hidden)
        {
            batch.Input.Dispose();
        }
    }
}
