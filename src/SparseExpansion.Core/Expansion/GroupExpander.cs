using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Turns the linears of one input group into mixtures: router, statistics, pruned experts, layers.</summary>
/// <param name="plan">What to do.</param>
/// <param name="report">Told of every step: stage, layers, share of the group that is done.</param>
/// <param name="cancellationToken">Observed between steps.</param>
internal sealed class GroupExpander(ExpansionPlan plan, Action<ExpansionStage, string, double> report, CancellationToken cancellationToken)
{
    /// <summary>Expands a group whose inputs have been captured.</summary>
    /// <param name="slots">The places of the group's linears.</param>
    /// <param name="tokens">The captured inputs.</param>
    /// <param name="dense">What the dense model hands the group in their place; null where nothing is to be compensated for.</param>
    /// <param name="seed">Seed of the group.</param>
    /// <returns>The mixtures, not installed yet, and their reports; the caller disposes the mixtures.</returns>
    public IReadOnlyList<(Replacement Replacement, LayerReport Report)> Expand(
        IReadOnlyList<ModuleSlot> slots, ITokenSource tokens, ITokenSource? dense, long seed)
    {
        using RoutedGroup group = new GroupRouting(plan, report, cancellationToken).Route(slots, tokens, dense, seed);
        var shared = new SharedRouter(group.TakeRouter());
        var expanded = new List<(Replacement, LayerReport)>();
        try
        {
            ExpandLayers(group, shared, expanded);
            return expanded;
        }
        catch
        {
            expanded.ForEach(entry => entry.Item1.Mixture.Dispose());
            shared.Dispose();
            throw;
        }
    }

    private void ExpandLayers(RoutedGroup group, SharedRouter shared, List<(Replacement, LayerReport)> expanded)
    {
        report(ExpansionStage.Pruning, group.Slots[0].Name, GroupShares.Routed(plan));
        int atOnce = plan.Memory?.ExpertsAtOnce(group.Pruner.Layer.Name) ?? int.MaxValue;
        if (atOnce < group.Tokens.ExpertCount)
        {
            ExpandInPasses(group, shared, atOnce, expanded);
            return;
        }

        using ExpertStatistics statistics = LayerErrors.Named(
            group.Slots[0].Name, "pruner", () => group.Pruner.Gather(group.Tokens, group.PriorTokens, cancellationToken));
        using InputShift? shift = GatherShift(group, 0, group.Tokens.ExpertCount);
        foreach (ModuleSlot slot in group.Slots)
        {
            var pruned = new PrunedExperts();
            try
            {
                Prune(slot, group, statistics, shift, pruned);
                expanded.Add(Build(slot, group, shared, pruned));
            }
            finally
            {
                pruned.Results.DisposeAll();
            }
        }
    }

    /// <summary>The same with the statistics of a few experts at a time: slower, in less memory.</summary>
    private void ExpandInPasses(RoutedGroup group, SharedRouter shared, int atOnce, List<(Replacement, LayerReport)> expanded)
    {
        PrunedExperts[] pruned = [.. group.Slots.Select(_ => new PrunedExperts())];
        try
        {
            ExpertPasses.Visit(group.Pruner, group.Tokens, group.PriorTokens, atOnce, (first, statistics) =>
            {
                using InputShift? shift = GatherShift(group, first, statistics.Experts.Count);
                for (int s = 0; s < pruned.Length; s++)
                {
                    Prune(group.Slots[s], group, statistics, shift, pruned[s]);
                }
            }, cancellationToken);
            for (int s = 0; s < pruned.Length; s++)
            {
                expanded.Add(Build(group.Slots[s], group, shared, pruned[s]));
                pruned[s].Results.DisposeAll();
            }
        }
        finally
        {
            Array.ForEach(pruned, layer => layer.Results.DisposeAll());
        }
    }

    /// <summary>Prunes the experts that there are statistics of, and adds them to the others of the layer.</summary>
    private void Prune(ModuleSlot slot, RoutedGroup group, ExpertStatistics statistics, InputShift? shift, PrunedExperts pruned)
    {
        cancellationToken.ThrowIfCancellationRequested();
        report(ExpansionStage.Pruning, slot.Name, GroupShares.Pruned(plan, Done(slot, group, statistics.Experts.Count, pruned.Results.Count)));
        long started = plan.Options.TimeProvider.GetTimestamp();
        using var noGrad = no_grad();
        pruned.Results.AddRange(LayerErrors.Named(
            slot.Name, "pruner", () => Prune(group.Pruner with { Target = plan.TargetOf(slot.Name) }, ((Linear)slot.Dense).weight!, group, statistics, shift),
            pruned.Results.Count));
        pruned.Seconds += plan.Options.TimeProvider.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>The share of the group's experts that are made, all linears together, before those that there are statistics of.</summary>
    private static double Done(ModuleSlot slot, RoutedGroup group, int experts, int first)
    {
        int before = group.Slots.TakeWhile(other => other != slot).Count();
        return (first + ((double)before * experts / group.Slots.Count)) / group.Tokens.ExpertCount;
    }

    private (Replacement, LayerReport) Build(ModuleSlot slot, RoutedGroup group, SharedRouter shared, PrunedExperts pruned)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long started = plan.Options.TimeProvider.GetTimestamp();
        var linear = (Linear)slot.Dense;
        Tensor weight = linear.weight!;
        double[] errors = OutputErrors(weight, pruned.Results, group);
        var mixture = new SparseMixtureLayer(
            slot.Name,
            shared,
            new MaskedDenseExperts([.. pruned.Results.Select(result => result.Weight)], [.. pruned.Results.Select(result => result.Grid)]),
            linear.bias);
        var layerReport = new LayerReport
        {
            Name = slot.Name,
            InputGroup = [.. group.Slots.Select(member => member.Name)],
            InFeatures = linear.in_features,
            OutFeatures = linear.out_features,
            DenseBytes = weight.numel() * weight.ElementSize,
            ExpertBytes = mixture.ExpertBytes,
            Seconds = pruned.Seconds + plan.Options.TimeProvider.GetElapsedTime(started).TotalSeconds,
            DissolvedExperts = group.DissolvedExperts,
            PriorTokens = group.PriorTokens,
            RouterRefinement = group.Refinement,
            ExpertReports = [.. pruned.Results.Select((result, e) => new ExpertReport(group.Tokens.Count(e), result.Sparsity, errors[e], result.Diagnostics))],
        };
        return (new Replacement(slot, mixture), layerReport);
    }

    private IReadOnlyList<PruningResult> Prune(ExpertPruner pruner, Tensor weight, RoutedGroup group, ExpertStatistics statistics, InputShift? shift)
    {
        IReadOnlyList<SparsityTarget> targets = plan.Allocation.PerExpert
            ? ExpertAllocation.Divide(pruner, weight, statistics, group.Tokens, plan.Allocation.MaxDeviation, cancellationToken)
            : [.. statistics.Experts.Select(_ => pruner.Target)];
        return shift is null
            ? PrunerCalls.PruneExperts(pruner.Sparsifier, weight, statistics.Experts, targets, cancellationToken)
            : shift.PruneExperts(pruner.Sparsifier, weight, statistics.Experts, targets, cancellationToken);
    }

    private InputShift? GatherShift(RoutedGroup group, int first, int count) => group.Pairs is not { } pairs
        ? null
        : LayerErrors.Named(group.Slots[0].Name, "error compensation", () => InputShift.Gather(
            pairs, group.Pruner.Layer.InFeatures, plan.Compensation!.Damping, group.Pruner.Layer.Device, first, count, cancellationToken), first);

    /// <summary>The pruner knows the errors on what its statistic has seen; where that is not an expert's own tokens, they are measured.</summary>
    private double[] OutputErrors(Tensor weight, IReadOnlyList<PruningResult> pruned, RoutedGroup group) => group.Pairs is { } pairs
        ? OutputErrorMeter.MeasureShifted(weight, pruned, pairs, cancellationToken).PerExpert
        : group.PriorTokens == 0 && pruned.All(result => result.RelativeOutputError is not null)
            ? [.. pruned.Select(result => result.RelativeOutputError!.Value)]
            : OutputErrorMeter.Measure(weight, pruned, group.Tokens, cancellationToken).PerExpert;

    /// <summary>The experts of one linear, as far as they are made.</summary>
    private sealed class PrunedExperts
    {
        public List<PruningResult> Results { get; } = [];

        public double Seconds { get; set; }
    }
}
