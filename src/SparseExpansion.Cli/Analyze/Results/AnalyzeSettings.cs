namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Settings of an analysis.</summary>
/// <param name="Targets">Globs of module paths.</param>
/// <param name="Experts">Numbers of clusters, ascending, from 1.</param>
/// <param name="Sparsity">Fraction of weights removed from experts.</param>
/// <param name="Seed">Random seed.</param>
internal sealed record AnalyzeSettings(
    IReadOnlyList<string> Targets, IReadOnlyList<int> Experts, double Sparsity, int Seed)
{
    /// <summary>Fraction of a layer's neurons that are its Wasserstein neurons, as in the paper.</summary>
    public double TopShare { get; init; } = 0.03;

    /// <summary>Number of random draws that the top neurons are compared with.</summary>
    public int RandomDraws { get; init; } = 10;

    /// <summary>The largest number of clusters.</summary>
    public int MostExperts => Experts[^1];
}
