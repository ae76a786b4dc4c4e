using System.Runtime.InteropServices;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>
/// The steps of k-means as matrix products. Tokens should lie around the origin (<see cref="CenteredTokens"/>).
/// </summary>
internal static class KMeans
{
    /// <summary>
    /// Greedy k-means++ (Arthur &amp; Vassilvitskii 2007): of a few tokens drawn ∝ squared distance, the best becomes a
    /// centroid.
    /// </summary>
    /// <param name="tokens">[tokens, features], float32, at least one token.</param>
    /// <param name="clusters">Number of centroids k.</param>
    /// <param name="random">Source of all draws.</param>
    /// <returns>[k, features], float32, copies of tokens.</returns>
    public static Tensor Seed(Tensor tokens, int clusters, Random random)
    {
        using var scope = NewDisposeScope();
        int candidates = 2 + (int)Math.Log(clusters);
        Tensor norms = tokens.Squared().sum(1, keepdim: true);
        Tensor centroids = empty(clusters, tokens.shape[1], ScalarType.Float32, tokens.device);
        Tensor first = tokens.narrow(0, random.NextInt64(tokens.shape[0]), 1);
        centroids.narrow(0, 0, 1).copy_(first);
        Tensor closest = SquaredDistances(tokens, norms, first);
        for (int cluster = 1; cluster < clusters; cluster++)
        {
            using var step = NewDisposeScope();
            Tensor drawn = tokens.index_select(0, Draw(closest, candidates, random));
            Tensor distances = SquaredDistances(tokens, norms, drawn).minimum(closest);
            Tensor best = distances.sum(0, type: ScalarType.Float64).argmin(0, keepdim: true);
            centroids.narrow(0, cluster, 1).copy_(drawn.index_select(0, best));
            closest.copy_(distances.index_select(1, best));
        }

        return centroids.MoveToOuterDisposeScope();
    }

    /// <summary>Assigns every token to its nearest centroid (the first of equally near ones) and sums up.</summary>
    public static ClusterPass Assign(
        ITokenSource tokens, Tensor centroids, int chunkTokens, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Device device = centroids.device;
        Tensor clusters = TensorArithmetic.Range(centroids.shape[0], device: device);
        Tensor columns = centroids.t();
        Tensor norms = centroids.Squared().sum(1);
        Tensor sums = zeros_like(centroids, ScalarType.Float64);
        Tensor counts = zeros(centroids.shape[0], ScalarType.Float64, device);
        Tensor potential = zeros(1, ScalarType.Float64, device);
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, device))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var chunkScope = NewDisposeScope();
            (Tensor least, Tensor labels) = addmm(norms, chunk, columns, 1, -2).min(1);

            // A product with a one-hot matrix instead of index_add, whose order of summation is left to chance on CUDA.
            Tensor members = labels.unsqueeze(1).eq(clusters).to(ScalarType.Float32);
            sums.PlusInPlace(members.t().matmul(chunk));
            counts.PlusInPlace(members.sum(0, type: ScalarType.Float64));
            potential.PlusInPlace(least.sum(0, type: ScalarType.Float64));
            chunk.Dispose();
        }

        double[] host = ToHost(cat([counts, potential]));
        return new ClusterPass(sums.MoveToOuterDisposeScope(), [.. host[..^1].Select(count => (long)count)], host[^1]);
    }

    /// <summary>Moves every centroid to the mean of its tokens; one without tokens stays.</summary>
    /// <returns>[k, features], float32.</returns>
    public static Tensor Means(ClusterPass pass, Tensor centroids)
    {
        using var scope = NewDisposeScope();
        Tensor counts = tensor(pass.Counts, ScalarType.Float64, centroids.device).unsqueeze(1);
        return where(
            counts > Scalars.Of(0), (pass.Sums / counts.clamp_min(Scalars.Of(1))).to(ScalarType.Float32),
            centroids).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Puts each centroid without tokens onto one of the tokens that are worst served. It stays where too few tokens
    /// differ for any of them to be off its own centroid.
    /// </summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="pass">The assignment of the tokens to <paramref name="assigned"/>.</param>
    /// <param name="assigned">[k, features].</param>
    /// <param name="moved">[k, features], changed in place.</param>
    /// <param name="chunkTokens">Tokens on the device at a time.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    public static void Reseed(
        ITokenSource tokens, ClusterPass pass, Tensor assigned, Tensor moved, int chunkTokens,
        CancellationToken cancellationToken)
    {
        long[] empty = [.. Enumerable.Range(0, pass.Counts.Length).Where(cluster => pass.Counts[cluster] == 0)
            .Select(cluster => (long)cluster)];
        if (empty.Length == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        long[] farthest = Farthest(tokens, assigned, empty.Length, chunkTokens, cancellationToken);
        if (farthest.Length > 0)
        {
            moved.index_copy_(
                0, tensor(empty[..farthest.Length], device: moved.device), tokens.Gather(farthest, moved.device));
        }
    }

    /// <summary>All centroids but one.</summary>
    public static Tensor Without(Tensor centroids, int cluster)
    {
        using var scope = NewDisposeScope();
        long[] kept = [.. Enumerable.Range(0, (int)centroids.shape[0]).Where(other => other != cluster)
            .Select(other => (long)other)];
        return centroids.index_select(0, tensor(kept, device: centroids.device)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Positions of the tokens farthest from their centroids, farthest first; at most <paramref name="count"/>.
    /// </summary>
    private static long[] Farthest(
        ITokenSource tokens, Tensor centroids, int count, int chunkTokens, CancellationToken cancellationToken)
    {
        var found = new List<(double Distance, long Token)>();
        long start = 0;
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, centroids.device))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            Tensor norms = chunk.Squared().sum(1, keepdim: true);
            Tensor least = SquaredDistances(chunk, norms, centroids).amin([1]);

            // What is left of a distance after cancellation is rounding, not a distance.
            Tensor distances = where(least > Scalars.Of(1e-5) * norms.squeeze(1), least, zeros_like(least));
            (Tensor values, Tensor positions) = distances.topk((int)Math.Min(count, chunk.shape[0]));
            double[] hostValues = ToHost(values);
            double[] hostPositions = ToHost(positions);
            found.AddRange(
                hostValues.Zip(hostPositions, (value, position) => (value, start + (long)position))
                    .Where(entry => entry.value > 0));
            start += chunk.shape[0];
            chunk.Dispose();
        }

        return [.. found.OrderByDescending(entry => entry.Distance).ThenBy(entry => entry.Token).Take(count)
            .Select(entry => entry.Token)];
    }

    private static Tensor Draw(Tensor closest, int count, Random random)
    {
        double[] draws = [.. Enumerable.Range(0, count).Select(_ => random.NextDouble())];
        Tensor cumulative = closest.squeeze(1).cumsum(0, ScalarType.Float64);
        long last = cumulative.shape[0] - 1;
        Tensor targets = tensor(draws, device: closest.device) * cumulative.narrow(0, last, 1);
        return searchsorted(cumulative, targets, right: true).clamp_max(Scalars.Of(last));
    }

    private static Tensor SquaredDistances(Tensor tokens, Tensor tokenNorms, Tensor centroids)
    {
        Tensor norms = centroids.Squared().sum(1);
        return addmm(norms, tokens, centroids.t(), 1, -2).PlusInPlace(tokenNorms).clamp_min_(Scalars.Of(0));
    }

    private static double[] ToHost(Tensor values)
    {
        using Tensor local = values.to(ScalarType.Float64).cpu();
        return MemoryMarshal.Cast<byte, double>(local.bytes).ToArray();
    }
}
