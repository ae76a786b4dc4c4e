using SparseExpansion.Calibration;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Fine-tuning as a part of an expansion: block after block, if the plan asks for it.</summary>
internal sealed class FineTuningPass(ExpansionPlan plan, CancellationToken cancellationToken)
{
    private readonly List<SavedParameter> _saved = [];
    private readonly List<BlockFineTuning> _reports = [];

    /// <summary>Norms of the dense model that were trained, as they were.</summary>
    public IReadOnlyList<SavedParameter> Saved => _saved;

    /// <summary>What was done so far.</summary>
    public IReadOnlyList<BlockFineTuning> Reports => _reports;

    /// <summary>Tunes a unit that has just been expanded.</summary>
    /// <param name="units">All units.</param>
    /// <param name="index">The unit.</param>
    /// <param name="replacements">Its mixtures, installed and unpacked.</param>
    /// <param name="batches">What it is called with.</param>
    /// <param name="dense">What it puts out in the dense model; null where that is not the target.</param>
    /// <param name="progress">Told of the share of its steps that are done.</param>
    /// <returns>What a store should keep; null where there was nothing to tune.</returns>
    public TunedUnit? Run(
        IReadOnlyList<ExpansionUnit> units, int index, IReadOnlyList<Replacement> replacements, IReadOnlyList<CalibrationBatch> batches,
        IReadOnlyList<CalibrationBatch>? dense, Action<double> progress)
    {
        if (plan.FineTuning is not { } options || replacements.Count == 0)
        {
            return null;
        }

        ExpansionUnit unit = units[index];
        IReadOnlyList<CalibrationBatch>? own = dense is null
            ? Replacement.WithDense(replacements, () => HiddenStates.Run(unit.Calibration, batches, plan.Memory, cancellationToken))
            : null;
        try
        {
            bool last = options.OutputLoss is not null && index == units.Count - 1;
            TuningWindows windows = LayerErrors.Named(
                unit.Calibration.Name, "fine-tuning", () => new TuningWindows(unit.Calibration.Device, batches, dense ?? own!, last && unit.IsBlock ? plan.Batches : null));
            var tuner = new BlockFineTuner(
                last ? options with { Loss = options.OutputLoss! } : options,
                last && unit.IsBlock ? new ModelTail(plan.Forward!, () => ExpansionUnit.InPlaceOf(plan.Blocks[index], unit.Slots)) : null,
                plan.Options.Seed + index,
                progress,
                cancellationToken);
            return Tune(tuner, unit, index, replacements, FindNorms(unit, index), windows);
        }
        finally
        {
            HiddenStates.Dispose(own ?? []);
        }
    }

    /// <summary>Puts back what fine-tuning left in a finished unit, beside its mixtures.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="index">Its index.</param>
    /// <param name="report">What was done; null where there was nothing to tune.</param>
    /// <param name="norms">The trained parameters.</param>
    /// <exception cref="CheckpointException">The store holds something else.</exception>
    public void Restore(ExpansionUnit unit, int index, BlockFineTuning? report, IReadOnlyList<Tensor> norms)
    {
        bool expected = plan.FineTuning is not null && unit.Slots.Count > 0;
        IReadOnlyList<Parameter> parameters = expected ? FindNorms(unit, index) : [];
        if (expected != (report is not null) || !parameters.Select(parameter => parameter.numel()).SequenceEqual(norms.Select(norm => norm.numel())))
        {
            throw new CheckpointException($"The store does not hold what fine-tuning left in {unit.Calibration.Name}: its report and {parameters.Count} norms; begin anew with an empty store.");
        }

        if (report is null)
        {
            return;
        }

        using var noGrad = no_grad();
        foreach ((Parameter parameter, Tensor norm) in parameters.Zip(norms))
        {
            _saved.Add(new SavedParameter(parameter));
            parameter.copy_(norm);
        }

        _reports.Add(report);
    }

    private TunedUnit Tune(
        BlockFineTuner tuner, ExpansionUnit unit, int index, IReadOnlyList<Replacement> replacements, IReadOnlyList<Parameter> norms, TuningWindows windows)
    {
        _saved.AddRange(norms.Select(norm => new SavedParameter(norm)));
        SparseMixtureLayer[] layers = [.. replacements.Select(replacement => replacement.Mixture)];
        BlockFineTuning report = LayerErrors.Named(unit.Calibration.Name, "fine-tuning", () => tuner.Tune(unit, index, layers, norms, windows));
        Log.BlockFineTuned(plan.Logger, unit.Calibration.Name, report.LossBefore, report.LossAfter, report.KeptStep, report.Steps);
        _reports.Add(report);
        return new TunedUnit(report, norms);
    }

    /// <summary>Where fine-tuning is asked for, it counts as half of a unit's work.</summary>
    public double ShareOfUnit(ExpansionStage stage, double share) => stage switch
    {
        _ when plan.FineTuning is null => share,
        ExpansionStage.FineTuning => (1 + share) / 2,
        ExpansionStage.Discovery or ExpansionStage.Calibration or ExpansionStage.Routing or ExpansionStage.Pruning => share / 2,
        _ => share,
    };

    /// <summary>A norm that blocks share stays: training it for one of them would change the others, and the dense outputs of those to come.</summary>
    private IReadOnlyList<Parameter> FindNorms(ExpansionUnit unit, int index) => plan.FineTuning is not { TrainNorms: true } ? [] : unit.IsBlock
        ? [.. BlockNorms.Find(plan.Blocks[index].Module).Except(plan.Blocks.Where((_, other) => other != index).SelectMany(block => BlockNorms.Find(block.Module)))]
        : BlockNorms.Find(plan.Model);
}
