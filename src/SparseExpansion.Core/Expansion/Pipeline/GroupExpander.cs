using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Turns the linears of one routed input group into mixtures: statistics, pruned experts, layers.</summary>
internal sealed class GroupExpander(GroupRun group)
{
    private readonly ExpansionRun _run = group.Run;

    /// <summary>Expands a group.</summary>
    /// <returns>The linears with their mixtures, which are not installed yet; the caller discards them.</returns>
    public IReadOnlyList<LayerRun> Expand()
    {
        var shared = new SharedRouter(group.TakeRouter());
        LayerRun[] layers = [];
        try
        {
            layers = [.. group.Slots.Select(slot => new LayerRun(group, slot))];
            group.Report(ExpansionStage.Pruning, group.Slots[0].Name, GroupShares.Routed(_run.Request.Steps));
            int atOnce = _run.Schedule?.ExpertsAtOnce(group.Pruner.Layer.Name) ?? int.MaxValue;
            if (atOnce < group.Tokens.ExpertCount)
            {
                ExpandInPasses(layers, shared, atOnce);
            }
            else
            {
                ExpandInOnePass(layers, shared);
            }

            return layers;
        }
        catch
        {
            Array.ForEach(layers, layer => layer.Discard());
            shared.Dispose();
            throw;
        }
    }

    private void ExpandInOnePass(LayerRun[] layers, SharedRouter shared)
    {
        using ExpertStatistics statistics = LayerErrors.Named(group.Slots[0].Name, "pruner", () => group.Pruner.Gather(
            group.StatisticTokens ?? group.Tokens, group.PriorTokens, _run.CancellationToken));
        Show(0, statistics);
        foreach (LayerRun layer in layers)
        {
            Prune(layer, 0, statistics);
            Build(layer, shared);
        }
    }

    /// <summary>The same with the statistics of a few experts at a time: slower, in less memory.</summary>
    private void ExpandInPasses(LayerRun[] layers, SharedRouter shared, int atOnce)
    {
        ExpertPasses.Visit(group.Pruner, group.StatisticTokens ?? group.Tokens, group.PriorTokens, atOnce, (first, statistics) =>
        {
            Show(first, statistics);
            Array.ForEach(layers, layer => Prune(layer, first, statistics));
        }, _run.CancellationToken);
        Array.ForEach(layers, layer => Build(layer, shared));
    }

    private void Show(int first, ExpertStatistics statistics) =>
        group.Steps.ForEach(step => step.OnStatistics(first, statistics, _run.CancellationToken));

    /// <summary>Prunes the experts that there are statistics of, and adds them to the others of the layer.</summary>
    private void Prune(LayerRun layer, int first, ExpertStatistics statistics)
    {
        _run.CancellationToken.ThrowIfCancellationRequested();
        group.Report(ExpansionStage.Pruning, layer.Name, GroupShares.Pruned(_run.Request.Steps, Done(layer, first, statistics.Experts.Count)));
        long started = _run.Options.TimeProvider.GetTimestamp();
        using var noGrad = no_grad();
        ExpertPruner pruner = group.Pruner with { Target = _run.TargetOf(layer.Name) };
        IReadOnlyList<PruningResult> pruned = LayerErrors.Named(
            layer.Name, "pruner",
            () => ExpertMaking.Prune(group.Steps, pruner, layer.Weight, statistics, _run.CancellationToken), first);
        layer.Add(pruned);
        group.Steps.ForEach(step => step.OnPruned(layer, first, pruned));
        layer.Seconds += _run.Options.TimeProvider.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>
    /// The share of the group's experts that are made, all linears together, before those that there are statistics of.
    /// </summary>
    private double Done(LayerRun layer, int first, int experts)
    {
        int before = group.Slots.TakeWhile(slot => slot.Name != layer.Name).Count();
        return (first + ((double)before * experts / group.Slots.Count)) / group.Tokens.ExpertCount;
    }

    private void Build(LayerRun layer, SharedRouter shared)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long started = _run.Options.TimeProvider.GetTimestamp();
        double[] errors = MeasureErrors(layer);
        var mixture = new SparseMixtureLayer(
            layer.Name,
            shared,
            new MaskedDenseExperts([.. layer.Experts.Select(expert => expert.Weight)], [.. layer.Experts.Select(expert => expert.Grid)]),
            layer.Bias);
        layer.Complete(mixture, errors);
        group.Steps.ForEach(step => step.OnBuilt(layer));
        layer.Seconds += _run.Options.TimeProvider.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>
    /// The pruner knows the errors on what its statistic has seen; where that is not an expert's own tokens, they are
    /// measured.
    /// </summary>
    private double[] MeasureErrors(LayerRun layer) =>
        group.Steps.Select(step => step.MeasureErrors(layer, _run.CancellationToken))
            .FirstOrDefault(errors => errors is not null)
        ?? (group.PriorTokens == 0 && layer.Experts.All(expert => expert.RelativeOutputError is not null)
            ? [.. layer.Experts.Select(expert => expert.RelativeOutputError!.Value)]
            : OutputErrorMeter.Measure(layer.Weight, layer.Experts, group.Tokens, _run.CancellationToken).PerExpert);
}
