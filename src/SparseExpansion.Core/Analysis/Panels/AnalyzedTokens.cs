using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal;
using SparseExpansion.Routing;

namespace SparseExpansion.Analysis.Panels;

/// <summary>The tokens that one analysis looks at: all of a source, or the sample that the options ask for.</summary>
internal sealed class AnalyzedTokens
{
    private readonly long[]? _chosen;

    private AnalyzedTokens(ITokenSource source, long[]? chosen)
    {
        Source = chosen is null ? source : new TokenSubset(source, chosen);
        SourceCount = source.TokenCount;
        Count = checked((int)Source.TokenCount);
        _chosen = chosen;
    }

    public ITokenSource Source { get; }

    /// <summary>Tokens of the full source.</summary>
    public long SourceCount { get; }

    /// <summary>Tokens that are looked at.</summary>
    public int Count { get; }

    /// <exception cref="CalibrationException">Fewer than two tokens, or another width than the layer's.</exception>
    public static AnalyzedTokens Choose(string layer, int inFeatures, ITokenSource tokens, int? sample, long seed)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.Features != inFeatures)
        {
            throw new CalibrationException(
                $"Layer '{layer}' takes tokens of width {inFeatures}, the token source has width {tokens.Features}.")
            { Layer = layer };
        }

        if (tokens.TokenCount < 2)
        {
            throw new CalibrationException(
                $"Layer '{layer}': {tokens.TokenCount} tokens are too few; "
                + "analyze at least 2, and thousands for meaningful distances.")
            { Layer = layer };
        }

        return new AnalyzedTokens(
            tokens, sample is { } count && count < tokens.TokenCount ? Draw(tokens.TokenCount, count, seed) : null);
    }

    /// <summary>The cluster of every token that is looked at.</summary>
    /// <exception cref="ArgumentException">The assignment is of another number of tokens.</exception>
    public TokenClusters Cluster(string layer, RouterAssignment assignment)
    {
        ArgumentNullException.ThrowIfNull(assignment);
        if (assignment.Experts.Length != SourceCount)
        {
            throw new ArgumentException(
                $"Layer '{layer}': the assignment is of {assignment.Experts.Length} tokens, "
                + $"the source has {SourceCount}.", nameof(assignment));
        }

        if (_chosen is null)
        {
            return new TokenClusters(assignment.Experts.ToArray(), assignment.ExpertCount);
        }

        var experts = new int[_chosen.Length];
        for (int i = 0; i < experts.Length; i++)
        {
            experts[i] = assignment.Experts[(int)_chosen[i]];
        }

        return new TokenClusters(experts, assignment.ExpertCount);
    }

    /// <summary>
    /// Ascending positions, drawn without replacement (selection sampling, Knuth 3.4.2, algorithm S).
    /// </summary>
    private static long[] Draw(long total, int count, long seed)
    {
        Random random = SeededRandom.Create(seed);
        var chosen = new long[count];
        int taken = 0;
        for (long token = 0; taken < count; token++)
        {
            if (random.NextInt64(total - token) < count - taken)
            {
                chosen[taken++] = token;
            }
        }

        return chosen;
    }
}
