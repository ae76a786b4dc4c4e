namespace SparseExpansion.Cli;

/// <summary>What is analysed.</summary>
/// <param name="Targets">Globs of module paths.</param>
/// <param name="Experts">Numbers of clusters, ascending, from 1.</param>
/// <param name="Sparsity">Share of weights that experts lose.</param>
/// <param name="Seed">Seed of all random numbers.</param>
internal sealed record AnalyzeSettings(IReadOnlyList<string> Targets, IReadOnlyList<int> Experts, double Sparsity, int Seed)
{
    /// <summary>Share of a layer's neurons that are its Wasserstein neurons; that of the paper.</summary>
    public double TopShare { get; init; } = 0.03;

    /// <summary>Draws of random neurons that the top ones are compared with.</summary>
    public int RandomDraws { get; init; } = 10;

    /// <summary>The largest number of clusters.</summary>
    public int MostExperts => Experts[^1];
}
