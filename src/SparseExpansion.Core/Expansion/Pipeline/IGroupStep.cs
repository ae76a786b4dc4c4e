using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Work of a step while the experts of one input group are made. Disposed with the group.</summary>
internal interface IGroupStep : IDisposable
{
    /// <summary>Told of the statistics of some experts before anything is pruned by them.</summary>
    /// <param name="first">The first of these experts.</param>
    /// <param name="statistics">Their statistics.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens.</param>
    void OnStatistics(int first, ExpertStatistics statistics, CancellationToken cancellationToken)
    {
    }

    /// <summary>Divides the weights of a linear among its experts.</summary>
    /// <param name="pruner">Prunes trials; its target is that of the linear.</param>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="statistics">The statistics of all experts.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>A target for each expert; null: all get that of the linear.</returns>
    IReadOnlyList<SparsityTarget>? Divide(ExpertPruner pruner, Tensor weight, ExpertStatistics statistics, CancellationToken cancellationToken) => null;

    /// <summary>True if experts are pruned from weights of their own, one by one.</summary>
    bool ChangesWeights => false;

    /// <summary>The weight that an expert is pruned from.</summary>
    /// <param name="weight">[out_features, in_features].</param>
    /// <param name="expert">Position among the experts of the last <see cref="OnStatistics"/>.</param>
    /// <returns>A weight that the caller disposes; null: the same.</returns>
    Tensor? WeightOf(Tensor weight, int expert) => null;

    /// <summary>Told of the experts of a linear that were just made.</summary>
    /// <param name="layer">The linear.</param>
    /// <param name="first">The first of these experts.</param>
    /// <param name="pruned">The experts; they stay with the layer.</param>
    void OnPruned(LayerRun layer, int first, IReadOnlyList<PruningResult> pruned)
    {
    }

    /// <summary>Measures experts against other outputs than those of their own layer and tokens.</summary>
    /// <param name="layer">The linear, all its experts made.</param>
    /// <param name="cancellationToken">Observed between chunks of tokens.</param>
    /// <returns>The relative error of each expert; null: they are measured as usual.</returns>
    double[]? MeasureErrors(LayerRun layer, CancellationToken cancellationToken) => null;

    /// <summary>Adds to the report of a linear whose mixture is built.</summary>
    void OnBuilt(LayerRun layer)
    {
    }
}
