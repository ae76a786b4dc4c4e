namespace SparseExpansion.Analysis.Panels;

/// <summary>The cluster of each analyzed token, and the tokens of each cluster.</summary>
internal sealed class TokenClusters
{
    private readonly int[] _clusters;

    public TokenClusters(int[] clusters, int count)
    {
        _clusters = clusters;
        var sizes = new int[count];
        foreach (int cluster in clusters)
        {
            sizes[cluster]++;
        }

        Members = [.. sizes.Select(size => new int[size])];
        for (int token = clusters.Length - 1; token >= 0; token--)
        {
            int cluster = clusters[token];
            Members[cluster][--sizes[cluster]] = token;
        }
    }

    /// <summary>All tokens in one cluster.</summary>
    public static TokenClusters One(int tokens) => new(new int[tokens], 1);

    public int Count => Members.Length;

    /// <summary>Positions of every cluster's tokens, ascending.</summary>
    public int[][] Members { get; }

    /// <summary>The clusters of the tokens from a position on.</summary>
    public ReadOnlySpan<int> Slice(int first, int count) => _clusters.AsSpan(first, count);

    public long[] Sizes() => [.. Members.Select(members => (long)members.Length)];
}
