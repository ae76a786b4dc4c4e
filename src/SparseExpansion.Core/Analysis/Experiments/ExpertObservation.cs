using SparseExpansion.Calibration;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

/// <summary>Gathers what a pruner must know about the inputs of a layer or of its experts.</summary>
internal static class ExpertObservation
{
    /// <summary>The statistic of all tokens; the caller disposes it.</summary>
    public static IActivationStatistic Observe(
        DenseLinear layer, ITokenSource tokens, ISparsifier sparsifier, int chunkTokens, CancellationToken cancellationToken)
    {
        if (tokens.Features != layer.InFeatures)
        {
            throw new CalibrationException($"Layer '{layer.Name}' takes tokens of width {layer.InFeatures}, the token source has width {tokens.Features}.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(chunkTokens, 1);
        IActivationStatistic statistic = sparsifier.CreateStatistic(
            new LayerDescriptor(layer.Name, layer.InFeatures, layer.OutFeatures, layer.Weight.device));
        try
        {
            foreach (Tensor chunk in tokens.ReadChunks(chunkTokens, layer.Weight.device))
            {
                using (chunk)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    statistic.Observe(chunk);
                }
            }

            return statistic;
        }
        catch
        {
            statistic.Dispose();
            throw;
        }
    }

    /// <summary>One statistic for each expert; one without tokens gets that of all tokens. The caller disposes them.</summary>
    public static IReadOnlyList<IActivationStatistic> ObserveExperts(
        DenseLinear layer, ITokenSource tokens, RouterAssignment assignment, ISparsifier sparsifier, int chunkTokens, CancellationToken cancellationToken)
    {
        var statistics = new List<IActivationStatistic>(assignment.ExpertCount);
        try
        {
            for (int expert = 0; expert < assignment.ExpertCount; expert++)
            {
                long[] members = assignment.TokensOf(expert).ToArray();
                ITokenSource share = members.Length == 0 || assignment.ExpertCount == 1 ? tokens : new TokenSubset(tokens, members);
                statistics.Add(Observe(layer, share, sparsifier, chunkTokens, cancellationToken));
            }

            return statistics;
        }
        catch
        {
            statistics.ForEach(statistic => statistic.Dispose());
            throw;
        }
    }
}
