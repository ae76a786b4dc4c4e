using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Allocation;

/// <summary>Divides the weights of each linear of a group among its experts.</summary>
internal sealed class ExpertDivision(GroupRun group, double maxDeviation) : IGroupStep
{
    public IReadOnlyList<SparsityTarget> Divide(
        ExpertPruner pruner, Tensor weight, ExpertStatistics statistics, CancellationToken cancellationToken) =>
        ExpertAllocation.Divide(pruner, weight, statistics, group.Tokens, maxDeviation, cancellationToken);

    public void Dispose()
    {
    }
}
