using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>
/// Correlated tokens in clusters of very different size, and the router that tells the clusters apart.
/// </summary>
internal sealed class StarvedClusters : IDisposable
{
    public const int Features = 48;

    private readonly Tensor _mixing;
    private readonly Tensor _centers;

    public StarvedClusters(int clusters, float distance = 0.6f, ulong seed = 3)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        Tensor decay = pow(0.9f, TensorArithmetic.Range(Features, ScalarType.Float32));
        _mixing = (randn(Features, Features, generator: generator) * decay.unsqueeze(1)).DetachFromDisposeScope();
        _centers = (randn(clusters, Features, generator: generator) * Scalars.Of(distance)).DetachFromDisposeScope();
        Weight = randn(64, Features, generator: generator).DetachFromDisposeScope();
        Router = new LinearRouter(_centers, -_centers.Squared().sum(1) / Scalars.Of(2));
    }

    /// <summary>A dense weight, [64, features].</summary>
    public Tensor Weight { get; }

    /// <summary>Sends each token to its nearest center.</summary>
    public LinearRouter Router { get; }

    /// <summary>As many tokens for each expert, expert by expert or, like a text, in turns.</summary>
    public Tensor Draw(ulong seed, bool shuffled, params int[] counts)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var parts = new List<Tensor>();
        for (int cluster = 0; cluster < counts.Length; cluster++)
        {
            Tensor noise = randn(4 * counts.Max(), Features, generator: generator).matmul(_mixing) * Scalars.Of(0.5f);
            Tensor tokens = _centers[cluster].Plus(noise);
            Tensor members = tokens.index_select(0, Router.Route(tokens).eq(Scalars.Of(cluster)).nonzero().flatten());
            parts.Add(members.narrow(0, 0, counts[cluster]));
        }

        Tensor all = cat(parts);
        return (shuffled ? all.index_select(0, randperm(all.shape[0], generator: generator)) : all)
            .MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _mixing.Dispose();
        _centers.Dispose();
        Weight.Dispose();
        Router.Dispose();
    }
}
