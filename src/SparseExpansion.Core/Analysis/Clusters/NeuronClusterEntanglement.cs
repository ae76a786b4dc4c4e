using SparseExpansion.Analysis.Distances;

namespace SparseExpansion.Analysis.Clusters;

/// <summary>One neuron inside the clusters of a router.</summary>
/// <param name="Neuron">Row of the weight.</param>
/// <param name="Wasserstein">W₁ to N(0,1) of the outputs for each cluster's tokens,
/// standardized inside the cluster; NaN below two tokens.</param>
/// <param name="MappingDifficulty">Mapping difficulty among each cluster's tokens; NaN where there is no pair.</param>
/// <param name="WeightedWasserstein">Mean of <paramref name="Wasserstein"/> weighted
/// by tokens, over the clusters that have it.</param>
/// <param name="WeightedMappingDifficulty">Mean of <paramref name="MappingDifficulty"/> weighted by tokens, over the
/// clusters that have it; NaN if none has.</param>
public sealed record NeuronClusterEntanglement(
    int Neuron,
    IReadOnlyList<double> Wasserstein,
    IReadOnlyList<double> MappingDifficulty,
    double WeightedWasserstein,
    double WeightedMappingDifficulty);
