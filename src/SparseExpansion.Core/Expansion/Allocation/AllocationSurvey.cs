using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Looks at every linear of the dense model once and then divides the budget.</summary>
internal sealed class AllocationSurvey(ExpansionPlan plan, CancellationToken cancellationToken)
{
    private readonly UnstructuredTarget _target = (UnstructuredTarget)plan.Target!;
    private readonly List<(string Name, long Size, double[] Measured)> _linears = [];
    private readonly double[] _grid = WeightBudget.Grid(plan.Target!.Sparsity, plan.Allocation.MaxDeviation);

    /// <summary>Measures the linears of one input group.</summary>
    public void Visit(IReadOnlyList<ModuleSlot> slots, ITokenSource tokens)
    {
        LayerDescriptor layer = UnitPlanner.Describe(slots[0]);
        bool owl = plan.Allocation.Method == AllocationMethod.Owl;
        using IActivationStatistic statistic = LayerErrors.Named(layer.Name, "allocation", () => ExpertStatistics.ObserveAll(
            () => owl ? new ColumnNormStatistic(layer.InFeatures, layer.Device) : PruningChecks.CreateStatistic(plan.Sparsifier!, layer),
            tokens, plan.Options.ChunkTokens, layer.Device, cancellationToken));
        foreach (ModuleSlot slot in slots)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Tensor weight = ((Linear)slot.Dense).weight!;
            double[] measured = LayerErrors.Named(slot.Name, "allocation", () => owl
                ? [OutlierShare(weight, (ColumnNormStatistic)statistic, plan.Allocation.OutlierThreshold)]
                : Errors(weight, layer, statistic, tokens));
            _linears.Add((slot.Name, weight.numel(), measured));
        }
    }

    /// <summary>The target of every linear.</summary>
    public IReadOnlyDictionary<string, SparsityTarget> Divide()
    {
        long[] sizes = [.. _linears.Select(linear => linear.Size)];
        double[] sparsities = plan.Allocation.Method == AllocationMethod.Owl
            ? WeightBudget.ByOutliers([.. _linears.Select(linear => linear.Measured[0])], sizes, _target.Sparsity, plan.Allocation.MaxDeviation)
            : WeightBudget.ByErrors(_grid, [.. _linears.Select(linear => linear.Measured)], sizes, _target.Sparsity);
        long[] pruned = WeightBudget.Round(sparsities, sizes, _target.Sparsity);
        return _linears.Select((linear, l) => (linear.Name, Target: (SparsityTarget)SparsityTarget.Exactly(pruned[l], sizes[l], _target.Scope)))
            .ToDictionary(entry => entry.Name, entry => entry.Target);
    }

    /// <summary>Share of weights with |w_ij| ‖X_j‖ above M times the mean of the linear.</summary>
    internal static double OutlierShare(Tensor weight, ColumnNormStatistic statistic, double threshold)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor scores = weight.detach().to(ScalarType.Float32).abs() * statistic.SquaredNorms.sqrt().to(ScalarType.Float32);
        double mean = scores.sum([0L], type: ScalarType.Float64).sum().item<double>() / scores.numel();
        return (double)scores.gt(Scalars.Of(threshold * mean)).count_nonzero().item<long>() / scores.numel();
    }

    private double[] Errors(Tensor weight, LayerDescriptor layer, IActivationStatistic statistic, ITokenSource tokens)
    {
        using Tensor rows = ExpertPruner.RowsForTrial(weight);
        using var all = new SingleExpertRouter(layer.InFeatures);
        return [.. _grid.Select(sparsity =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            SparsityTarget target = SparsityTarget.Unstructured(sparsity, _target.Scope);
            using PruningResult result = PrunerCalls.Prune(plan.Sparsifier!, rows, statistic, target, cancellationToken);
            return result.RelativeOutputError ?? OutputErrorMeter.Measure(
                rows, [result], new ExpertPruner(plan.Sparsifier!, target, layer, plan.Options.ChunkTokens).Divide(tokens, all, cancellationToken), cancellationToken).Total;
        })];
    }
}
