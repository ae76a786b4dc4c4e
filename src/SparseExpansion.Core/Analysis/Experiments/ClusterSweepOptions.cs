using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>Options of an expansion of a layer to more and more clusters.</summary>
public sealed record ClusterSweepOptions
{
    /// <summary>Numbers of clusters. Default 1, 2, 4, 8, 16, as in arXiv 2405.15756.</summary>
    public IReadOnlyList<int> Clusters { get; init; } = [1, 2, 4, 8, 16];

    /// <summary>
    /// Makes the trainer of a router for a number of clusters above 1. Default: PCA and k-means, the published router.
    /// A trainer of random routers makes the control.
    /// </summary>
    public Func<int, IRouterTrainer> Trainer { get; init; } = clusters =>
        new PcaKMeansTrainer(new PcaKMeansOptions { Experts = clusters });

    /// <summary>The neurons to compare. Default null: all.</summary>
    public IReadOnlyList<int>? Neurons { get; init; }

    /// <summary>Neurons whose dense and sparse outputs are kept, for drawing them. Default: none.</summary>
    public IReadOnlyList<int> RecordedNeurons { get; init; } = [];

    /// <summary>
    /// True: also measures W₁ and mapping difficulty of the dense neurons inside the clusters. Default true.
    /// </summary>
    public bool AnalyzeClusters { get; init; } = true;

    /// <summary>Checks all properties.</summary>
    /// <exception cref="ArgumentException">A property is out of range; the exception names it.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Clusters);
        ArgumentNullException.ThrowIfNull(Trainer);
        ArgumentNullException.ThrowIfNull(RecordedNeurons);
        if (Clusters.Count == 0 || Clusters.Any(count => count < 1) || Clusters.Distinct().Count() != Clusters.Count)
        {
            throw new ArgumentException(
                "Name at least one number of clusters, each at least 1 and once.", nameof(Clusters));
        }
    }
}
