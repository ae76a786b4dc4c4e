using SparseExpansion.Calibration;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>One run: block by block. Undoes everything when it does not reach the end.</summary>
internal sealed class ExpansionPipeline(ExpansionPlan plan, IProgress<ExpansionProgress>? progress, CancellationToken cancellationToken)
{
    private readonly ExpansionCheckpoints? _checkpoints = plan.Store is null
        ? null
        : new ExpansionCheckpoints(plan.Store, plan.Resume, plan.RouterKinds, mapped: plan.Options.Memory is not null);

    private readonly List<Replacement> _replacements = [];
    private readonly List<LayerReport> _reports = [];
    private readonly FineTuningPass _fineTuning = new(plan, cancellationToken);
    private ExpansionPlan _plan = plan;
    private DenseStream? _dense;
    private StageReporter? _stages;
    private int _groupsDone;

    public ExpansionResult Run()
    {
        long started = _plan.Options.TimeProvider.GetTimestamp();
        IReadOnlyList<ExpansionUnit> units = UnitPlanner.Plan(_plan);
        CalibrationGuard.Check(_plan, units[0].Calibration.Device);
        Log.ExpansionStarted(_plan.Logger, units.Sum(unit => unit.Slots.Count), _plan.Trainer!.Name, _plan.Sparsifier!.Name, _plan.Target!);
        using var modes = new EvaluationMode(_plan.Model);
        using var stages = new StageReporter(progress, _plan.Options.TimeProvider, units.Count, WorkSize.CountTokens(_plan));
        _stages = stages;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            _plan = _plan with { Memory = _plan.Memory ?? MemoryPlanner.Schedule(_plan, units) };
            using RecordedArguments arguments = RecordedArguments.Of(_plan, units[0].Calibration.Device, cancellationToken);
            _plan = _plan with { Batches = arguments.Batches };
            _dense = DenseStream.IsNeeded(_plan) ? new DenseStream(_plan, cancellationToken) : null;
            _checkpoints?.Start(_plan, units);
            _plan = _plan with { Allocated = AllocationPass.Run(_plan, units, cancellationToken) };
            ExpandUnits(units);
            ExpansionReport report = CreateReport(_plan.Options.TimeProvider.GetElapsedTime(started).TotalSeconds);
            Report(ExpansionStage.Finished, units, units.Count - 1, null, 1);
            Log.ExpansionFinished(_plan.Logger, report.Layers.Count, report.Seconds);
            return new ExpansionResult(_plan.Model, report, _replacements, _fineTuning.Saved);
        }
        catch (Exception e)
        {
            stages.Fail(e);
            Log.ExpansionUndone(_plan.Logger, e.GetType().Name);
            Replacement.UndoAll(_replacements);
            SavedParameter.RestoreAll(_fineTuning.Saved);
            throw;
        }
    }

    private void ExpandUnits(IReadOnlyList<ExpansionUnit> units)
    {
        IReadOnlyList<CalibrationBatch> hidden = [];
        try
        {
            int first = _checkpoints?.Finished ?? 0;
            if (first < units.Count && units[first].IsBlock && units.Take(first).Any(unit => unit.Slots.Count > 0))
            {
                _dense?.Resume(units, first);
            }

            Restore(units, first);
            hidden = EnterBlock(units, first);
            for (int u = first; u < units.Count; u++)
            {
                ExpandUnit(units, u, ref hidden);
            }
        }
        finally
        {
            _dense?.Dispose();
            HiddenStates.Dispose(hidden);
        }
    }

    /// <summary>Installs the blocks that are stored.</summary>
    private void Restore(IReadOnlyList<ExpansionUnit> units, int finished)
    {
        for (int u = 0; u < finished; u++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var restored = new List<Replacement>();
            var norms = new List<Tensor>();
            try
            {
                UnitDescription description = _checkpoints!.Restore(u, units[u].Slots, restored, norms);
                if (!_plan.Options.Pack)
                {
                    restored.ForEach(replacement => replacement.Mixture.Unpack()); // Quantised experts are stored packed in any case.
                }

                Expander(units, u).Install(restored);
                _groupsDone += description.Groups;
                _reports.AddRange(description.Reports);
                _fineTuning.Restore(units[u], u, description.FineTuning, norms);
            }
            finally
            {
                restored.ForEach(replacement => replacement.Mixture.Dispose());
                norms.ForEach(norm => norm.Dispose());
            }
        }

        if (finished > 0)
        {
            Log.ExpansionResumed(_plan.Logger, finished, units.Count);
        }
    }

    /// <summary>What enters the first unit that is left to do, if that is a block.</summary>
    private IReadOnlyList<CalibrationBatch> EnterBlock(IReadOnlyList<ExpansionUnit> units, int first)
    {
        if (first == units.Count || !units[first].IsBlock)
        {
            return [];
        }

        if (first > 0)
        {
            return _checkpoints!.RestoreActivations(_plan.Batches);
        }

        BlockEntry.CheckChain(_plan, units[0].Calibration.Device);
        return BlockEntry.Capture(_plan, units[0].Calibration.Device, cancellationToken);
    }

    /// <param name="units">All units.</param>
    /// <param name="index">The one to expand.</param>
    /// <param name="hidden">What enters the unit; then what it hands on.</param>
    private void ExpandUnit(IReadOnlyList<ExpansionUnit> units, int index, ref IReadOnlyList<CalibrationBatch> hidden)
    {
        ExpansionUnit unit = units[index];
        IReadOnlyList<CalibrationBatch> inputs = unit.IsBlock ? hidden : _plan.Batches;
        (int replacements, int reports, int groups) = (_replacements.Count, _reports.Count, _groupsDone);
        if (!unit.IsBlock)
        {
            Unpack();
        }

        if (unit.Slots.Count > 0)
        {
            var expanded = Expand(units, index, inputs);
            _reports.AddRange(expanded.SelectMany(group => group));
            _groupsDone += expanded.Count;
        }

        bool handsOn = index + 1 < units.Count && units[index + 1].IsBlock;
        TunedUnit? tuned = FineTune(units, index, _replacements[replacements..], inputs, handsOn);
        if (handsOn)
        {
            Report(ExpansionStage.Propagation, units, index, null, 1);
            hidden = HiddenStates.Propagate(unit.Calibration, hidden, _plan.Memory, cancellationToken);
        }

        Report(ExpansionStage.Packing, units, index, null, 1);
        cancellationToken.ThrowIfCancellationRequested();
        if (!unit.IsBlock)
        {
            _checkpoints?.MapAgain(_replacements[..replacements].Select(replacement => replacement.Mixture));
        }

        Pack();
        SparseMixtureLayer[] mixtures = [.. _replacements[replacements..].Select(replacement => replacement.Mixture)];
        for (int i = 0; i < mixtures.Length; i++)
        {
            _reports[reports + i] = _reports[reports + i] with { ExpertBytes = mixtures[i].ExpertBytes };
        }

        Instruments.ExpertBytes.Add(mixtures.Sum(mixture => mixture.ExpertBytes));
        if (_checkpoints is not null)
        {
            hidden = Store(_checkpoints, index, mixtures, _groupsDone - groups, _reports[reports..], tuned, handsOn ? hidden : null) ?? hidden;
        }
    }

    /// <summary>Stores a unit.</summary>
    /// <returns>What it hands on, from the file, as another run would see it; null where <paramref name="handedOn"/> is, which is disposed.</returns>
    private IReadOnlyList<CalibrationBatch>? Store(
        ExpansionCheckpoints checkpoints, int index, SparseMixtureLayer[] mixtures, int groups, IReadOnlyList<LayerReport> reports, TunedUnit? tuned,
        IReadOnlyList<CalibrationBatch>? handedOn)
    {
        checkpoints.Add(mixtures, groups, reports, tuned, handedOn ?? []);
        Log.BlockStored(_plan.Logger, index, mixtures.Length);
        if (handedOn is null)
        {
            return null;
        }

        HiddenStates.Dispose(handedOn);
        return checkpoints.RestoreActivations(_plan.Batches);
    }

    /// <summary>Makes the experts of a unit, without the windows that shall judge them.</summary>
    private IReadOnlyList<IReadOnlyList<LayerReport>> Expand(IReadOnlyList<ExpansionUnit> units, int index, IReadOnlyList<CalibrationBatch> inputs)
    {
        IReadOnlyList<CalibrationBatch> dense = units[index].IsBlock ? _dense?.Enter(inputs) ?? inputs : inputs;
        var views = new List<Tensor>();
        try
        {
            IReadOnlyList<CalibrationBatch> fitted = Fitted(inputs);
            return Expander(units, index).Expand(units[index], fitted, ReferenceEquals(dense, inputs) ? fitted : Fitted(dense), _groupsDone);
        }
        finally
        {
            views.ForEach(view => view.Dispose());
        }

        IReadOnlyList<CalibrationBatch> Fitted(IReadOnlyList<CalibrationBatch> all) =>
            _plan.FineTuning is { } tuning ? TuningWindows.LeaveOut(all, tuning.HoldOut, views) : all;
    }

    private TunedUnit? FineTune(
        IReadOnlyList<ExpansionUnit> units, int index, IReadOnlyList<Replacement> installed, IReadOnlyList<CalibrationBatch> inputs, bool handsOn)
    {
        bool tunesToModel = _plan.FineTuning?.Target == FineTuningTarget.DenseModel;
        IReadOnlyList<CalibrationBatch>? dense = null;
        if (_dense is not null && _replacements.Count > 0 && (tunesToModel || handsOn))
        {
            bool tunes = _plan.FineTuning is not null && installed.Count > 0;
            Report(tunes ? ExpansionStage.FineTuning : ExpansionStage.Propagation, units, index, null, tunes ? 0 : 1);
            dense = _dense.Advance(units[index], installed, inputs);
        }

        return _fineTuning.Run(units, index, installed, inputs, tunesToModel ? dense : null, share => Report(ExpansionStage.FineTuning, units, index, null, share));
    }

    private UnitExpander Expander(IReadOnlyList<ExpansionUnit> units, int index) =>
        new(_plan, _replacements, (stage, layer, share) => Report(stage, units, index, layer, share), cancellationToken);

    /// <summary>Packs what is installed, after it has fed the next block: packed kernels may round differently from run to run.</summary>
    private void Pack()
    {
        foreach (SparseMixtureLayer layer in _replacements.Select(replacement => replacement.Mixture))
        {
            if (_plan.Options.Pack && PackedExperts.Supports(layer.Experts))
            {
                layer.Pack();
            }
        }
    }

    /// <summary>Unpacks what is installed, for a unit that runs the whole model.</summary>
    private void Unpack() => _replacements.ForEach(replacement => replacement.Mixture.Unpack());

    private ExpansionReport CreateReport(double seconds) => new()
    {
        Manifest = ManifestFactory.Create(_plan, _reports),
        Layers = [.. _reports],
        FineTuning = _fineTuning.Reports,
        Seconds = seconds,
    };

    private void Report(ExpansionStage stage, IReadOnlyList<ExpansionUnit> units, int unit, string? layer, double shareOfUnit) =>
        _stages!.Enter(stage, unit, layer, (unit + _fineTuning.ShareOfUnit(stage, shareOfUnit)) / units.Count);
}
