using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>
/// Makes experts of the linears of one input group, once for good and a few times to try something out.
/// </summary>
/// <param name="Sparsifier">The pruner.</param>
/// <param name="Target">Target that says how many weights are pruned.</param>
/// <param name="Layer">A linear of the group: width of the inputs and device.</param>
/// <param name="ChunkTokens">Tokens on the device at a time.</param>
internal sealed record ExpertPruner(
    ISparsifier Sparsifier, SparsityTarget Target, LayerDescriptor Layer, int ChunkTokens)
{
    /// <summary>Rows that a trial prunes.</summary>
    private const int TrialRows = 256;

    /// <summary>The tokens by the expert that a router sends them to.</summary>
    public ExpertTokens Divide(ITokenSource tokens, IRouter router, CancellationToken cancellationToken) =>
        Divide(tokens, RouterAssignment.Compute(router, tokens, ChunkTokens, Layer.Device, cancellationToken));

    /// <summary>The tokens by their expert.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="assignment">The expert of each token.</param>
    /// <param name="centers">[experts, features]: subtracted from the tokens of each expert; null: nothing is.</param>
    public ExpertTokens Divide(ITokenSource tokens, RouterAssignment assignment, Tensor? centers = null) =>
        new(tokens, assignment, ChunkTokens, Layer.Device, centers);

    /// <summary>The plain statistics of the experts.</summary>
    public ExpertStatistics Observe(
        ExpertTokens tokens, CancellationToken cancellationToken, int first = 0, int? count = null) =>
        ExpertStatistics.Observe(CreateStatistic, tokens, cancellationToken, first, count);

    /// <summary>The statistics that experts are pruned by.</summary>
    public ExpertStatistics Gather(ExpertTokens tokens, double priorTokens, CancellationToken cancellationToken) =>
        ExpertStatistics.Gather(CreateStatistic, tokens, cancellationToken, priorTokens);

    /// <summary>The experts of one linear; the caller disposes them.</summary>
    public IReadOnlyList<PruningResult> Prune(
        Tensor weight, ExpertStatistics statistics, CancellationToken cancellationToken) =>
        PrunerCalls.PruneExperts(Sparsifier, weight, statistics.Experts, Target, cancellationToken);

    /// <summary>
    /// Rows of a weight that stand for all of them in a trial, evenly spread; the caller disposes the copy.
    /// </summary>
    public static Tensor RowsForTrial(Tensor weight, int most = TrialRows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long rows = weight.shape[0], count = Math.Min(rows, most);
        Tensor chosen = tensor(
            [.. Enumerable.Range(0, (int)count).Select(i => i * rows / count)], device: weight.device);
        return weight.detach().index_select(0, chosen).MoveToOuterDisposeScope();
    }

    /// <summary>An empty statistic; the caller disposes it.</summary>
    public IActivationStatistic CreateStatistic() => PruningChecks.CreateStatistic(Sparsifier, Layer);
}
