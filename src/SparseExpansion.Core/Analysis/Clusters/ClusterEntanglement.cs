using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Analysis.Clusters;

/// <summary>Neurons of a layer inside the clusters of a router: whether clustering disentangles them.</summary>
public sealed record ClusterEntanglement
{
    /// <summary>Module path of the layer.</summary>
    public required string Layer { get; init; }

    /// <summary>Tokens of every cluster.</summary>
    public required IReadOnlyList<long> TokensPerCluster { get; init; }

    /// <summary>One entry for each analyzed neuron.</summary>
    public required IReadOnlyList<NeuronClusterEntanglement> Neurons { get; init; }

    /// <summary>
    /// Change of W₁ by clustering, relative to W₁ over all tokens: −0.4 means
    /// that the token-weighted distance is 40 % lower.
    /// </summary>
    /// <param name="whole">The same layer over the same tokens.</param>
    /// <returns>One value for each entry of <see cref="Neurons"/>; NaN where W₁ over all tokens is 0.</returns>
    /// <exception cref="ArgumentException"><paramref name="whole"/> is of another layer.</exception>
    public double[] WassersteinChange(LayerEntanglement whole)
    {
        ArgumentNullException.ThrowIfNull(whole);
        if (whole.Layer != Layer)
        {
            throw new ArgumentException(
                $"Clusters of layer '{Layer}' cannot be compared with layer '{whole.Layer}'.", nameof(whole));
        }

        return [.. Neurons.Select(neuron => Change(neuron.WeightedWasserstein, whole.Neurons[neuron.Neuron].Wasserstein))];
    }

    private static double Change(double after, double before) => before > 0 ? (after / before) - 1 : double.NaN;
}
