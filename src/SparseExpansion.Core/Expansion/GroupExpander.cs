using SparseExpansion.Calibration;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Turns the linears of one input group into mixtures: router, statistics, pruned experts, layers.</summary>
internal sealed class GroupExpander(ExpansionPlan plan, Action<ExpansionStage, string> report, CancellationToken cancellationToken)
{
    /// <summary>Expands a group whose inputs have been captured.</summary>
    /// <param name="slots">The places of the group's linears.</param>
    /// <param name="tokens">The captured inputs.</param>
    /// <param name="seed">Seed of the group.</param>
    /// <returns>The mixtures, not installed yet, and their reports; the caller disposes the mixtures.</returns>
    public IReadOnlyList<(Replacement Replacement, LayerReport Report)> Expand(
        IReadOnlyList<ModuleSlot> slots, ITokenSource tokens, long seed)
    {
        LayerDescriptor first = UnitPlanner.Describe(slots[0]);
        string group = string.Join(", ", slots.Select(slot => slot.Name));
        report(ExpansionStage.Routing, group);
        IRouter router = Named(group, "router", () => plan.Trainer!.Fit(tokens, new RouterTrainingContext(group, first.Device, seed), cancellationToken));
        var shared = new SharedRouter(router);
        var expanded = new List<(Replacement, LayerReport)>();
        try
        {
            RouterAssignment assignment = Named(group, "router", () => RouterAssignment.Compute(router, tokens, plan.Options.ChunkTokens, first.Device, cancellationToken));
            var experts = new ExpertTokens(tokens, assignment, plan.Options.ChunkTokens, first.Device);
            ExpandLayers(slots, shared, experts, expanded);
            return expanded;
        }
        catch
        {
            expanded.ForEach(entry => entry.Item1.Mixture.Dispose());
            shared.Dispose();
            throw;
        }
    }

    private void ExpandLayers(
        IReadOnlyList<ModuleSlot> slots, SharedRouter shared, ExpertTokens experts, List<(Replacement, LayerReport)> expanded)
    {
        report(ExpansionStage.Pruning, slots[0].Name);
        IReadOnlyList<IActivationStatistic> statistics = Named(
            slots[0].Name, "pruner", () => ExpertStatistics.Gather(plan.Sparsifier!, UnitPlanner.Describe(slots[0]), experts, cancellationToken));
        try
        {
            foreach (ModuleSlot slot in slots)
            {
                cancellationToken.ThrowIfCancellationRequested();
                report(ExpansionStage.Pruning, slot.Name);
                expanded.Add(ExpandLayer(slot, slots, shared, experts, statistics));
            }
        }
        finally
        {
            foreach (IActivationStatistic statistic in statistics)
            {
                statistic.Dispose();
            }
        }
    }

    private (Replacement, LayerReport) ExpandLayer(
        ModuleSlot slot, IReadOnlyList<ModuleSlot> group, SharedRouter shared, ExpertTokens experts, IReadOnlyList<IActivationStatistic> statistics)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long started = plan.Options.TimeProvider.GetTimestamp();
        var linear = (Linear)slot.Dense;
        Tensor weight = linear.weight!;
        IReadOnlyList<PruningResult> pruned = Named(
            slot.Name, "pruner", () => plan.Sparsifier!.PruneExperts(weight, statistics, plan.Target!, cancellationToken));
        try
        {
            double[] errors = OutputErrorMeter.Measure(weight, pruned, experts, cancellationToken);
            var mixture = new SparseMixtureLayer(slot.Name, shared, [.. pruned.Select(result => result.Weight)], linear.bias);
            var layerReport = new LayerReport
            {
                Name = slot.Name,
                InputGroup = [.. group.Select(member => member.Name)],
                InFeatures = linear.in_features,
                OutFeatures = linear.out_features,
                DenseBytes = weight.numel() * weight.ElementSize,
                ExpertBytes = mixture.ExpertBytes,
                Seconds = plan.Options.TimeProvider.GetElapsedTime(started).TotalSeconds,
                ExpertReports = [.. pruned.Select((result, e) => new ExpertReport(experts.Count(e), result.Sparsity, errors[e], result.DampingRung))],
            };
            return (new Replacement(slot, mixture), layerReport);
        }
        finally
        {
            foreach (PruningResult result in pruned)
            {
                result.Dispose();
            }
        }
    }

    /// <summary>Lets errors of pruners and routers, custom ones above all, say which layer they arose in.</summary>
    private static T Named<T>(string layer, string part, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (CalibrationException e)
        {
            throw e.Message.Contains(layer, StringComparison.Ordinal) ? e : new CalibrationException($"Layer '{layer}': {e.Message}", e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new PruningException($"The {part} failed at layer '{layer}': {FirstLine(e.Message)}", e);
        }
    }

    /// <summary>Native errors carry a stack trace in their message.</summary>
    private static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd();
}
