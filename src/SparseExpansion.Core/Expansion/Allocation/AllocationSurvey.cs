using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Allocation;

/// <summary>Looks at every linear of the dense model once and then divides the budget.</summary>
internal sealed class AllocationSurvey(ExpansionRun run, SparsityAllocation allocation)
{
    private readonly UnstructuredTarget _target = (UnstructuredTarget)run.Request.Target!;
    private readonly ISparsifier _sparsifier = run.Request.Sparsifier!;
    private readonly List<(string Name, long Size, double[] Measured)> _linears = [];
    private readonly double[] _grid = WeightBudget.Grid(run.Request.Target!.Sparsity, allocation.MaxDeviation);

    /// <summary>Measures the linears of one input group.</summary>
    public void Visit(IReadOnlyList<ModuleSlot> slots, ITokenSource tokens)
    {
        LayerDescriptor layer = BlockPlanner.Describe(slots[0]);
        bool owl = allocation.Method == AllocationMethod.Owl;
        using IActivationStatistic statistic = LayerErrors.Named(layer.Name, "allocation", () => ExpertStatistics.ObserveAll(
            () => owl ? new ColumnNormStatistic(layer.InFeatures, layer.Device) : PruningChecks.CreateStatistic(_sparsifier, layer),
            tokens, run.Options.ChunkTokens, layer.Device, run.CancellationToken));
        foreach (ModuleSlot slot in slots)
        {
            run.CancellationToken.ThrowIfCancellationRequested();
            Tensor weight = ((Linear)slot.Dense).weight!;
            double[] measured = LayerErrors.Named(slot.Name, "allocation", () => owl
                ? [OutlierShare(weight, (ColumnNormStatistic)statistic, allocation.OutlierThreshold)]
                : Errors(weight, layer, statistic, tokens));
            _linears.Add((slot.Name, weight.numel(), measured));
        }
    }

    /// <summary>The target of every linear.</summary>
    public IReadOnlyDictionary<string, SparsityTarget> Divide()
    {
        long[] sizes = [.. _linears.Select(linear => linear.Size)];
        double[] sparsities = allocation.Method == AllocationMethod.Owl
            ? WeightBudget.ByOutliers(
                [.. _linears.Select(linear => linear.Measured[0])], sizes, _target.Sparsity, allocation.MaxDeviation)
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
        Tensor scores = weight.detach().to(ScalarType.Float32).abs()
            * statistic.SquaredNorms.sqrt().to(ScalarType.Float32);
        double mean = scores.sum([0L], type: ScalarType.Float64).sum().item<double>() / scores.numel();
        return (double)scores.gt(Scalars.Of(threshold * mean)).count_nonzero().item<long>() / scores.numel();
    }

    private double[] Errors(Tensor weight, LayerDescriptor layer, IActivationStatistic statistic, ITokenSource tokens)
    {
        using Tensor rows = ExpertPruner.RowsForTrial(weight);
        using var all = new SingleExpertRouter(layer.InFeatures);
        return [.. _grid.Select(sparsity =>
        {
            run.CancellationToken.ThrowIfCancellationRequested();
            SparsityTarget target = SparsityTarget.Unstructured(sparsity, _target.Scope);
            using PruningResult result = PrunerCalls.Prune(_sparsifier, rows, statistic, target, run.CancellationToken);
            return result.RelativeOutputError ?? OutputErrorMeter.Measure(
                rows, [result], new ExpertPruner(_sparsifier, target, layer, run.Options.ChunkTokens).Divide(tokens, all, run.CancellationToken), run.CancellationToken).Total;
        })];
    }
}
