using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>
/// Runs k-means on a source: restarts on a sample, refinement on all tokens, then merging of clusters that are too
/// small.
/// </summary>
internal sealed class KMeansSolver(
    PcaKMeansOptions options, ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken)
{
    private readonly Random _random = new(unchecked((int)(context.Seed ^ (context.Seed >> 32))));

    /// <summary>Finds centroids.</summary>
    /// <returns>[at most <see cref="PcaKMeansOptions.Experts"/>, features], float32, on the device; the caller disposes
    /// it.</returns>
    /// <exception cref="CalibrationException">Squares of the tokens overflow.</exception>
    public Tensor Solve()
    {
        using var scope = NewDisposeScope();
        Tensor sample = Sample();
        double variance = MeanSquare(sample);
        if (!double.IsFinite(variance))
        {
            throw RouterGuard.Overflow(context.Group);
        }

        double tolerance = options.Tolerance * variance;
        Tensor best = BestOfRestarts(sample, tolerance);
        if (sample.shape[0] < tokens.TokenCount)
        {
            sample.Dispose();
            (best, _) = Lloyd(tokens, best, tolerance);
        }

        return MergeSmall(best).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Draws tokens without replacement, in their order (selection sampling, Knuth 3.4.2, algorithm S).
    /// </summary>
    private Tensor Sample()
    {
        long count = Math.Min(tokens.TokenCount, Math.Max(options.SampleTokens, options.Experts));
        var chosen = new long[count];
        int taken = 0;
        for (long token = 0; taken < count; token++)
        {
            long remaining = tokens.TokenCount - token;
            if (count - taken == remaining || _random.NextInt64(remaining) < count - taken)
            {
                chosen[taken++] = token;
            }
        }

        return tokens.Gather(chosen, context.Device);
    }

    private Tensor BestOfRestarts(Tensor sample, double tolerance)
    {
        using var scope = NewDisposeScope();
        var source = new TokenMatrix(sample);
        Tensor? best = null;
        double bestPotential = double.PositiveInfinity;
        for (int restart = 0; restart < options.Restarts; restart++)
        {
            (Tensor centroids, double potential) = Lloyd(
                source, KMeans.Seed(sample, options.Experts, _random), tolerance);

            // Restarts that end in the same clusters differ by rounding and by the
            // order of the experts: the first one stays.
            if (best is null || potential < bestPotential - (1e-6 * Math.Abs(bestPotential)))
            {
                best?.Dispose();
                (best, bestPotential) = (centroids, potential);
            }
            else
            {
                centroids.Dispose();
            }
        }

        return best!.MoveToOuterDisposeScope();
    }

    /// <summary>Iterates to convergence; disposes <paramref name="centroids"/>.</summary>
    /// <returns>New centroids, and the potential of those before the last step.</returns>
    private (Tensor Centroids, double Potential) Lloyd(ITokenSource source, Tensor centroids, double tolerance)
    {
        for (int iteration = 1; ; iteration++)
        {
            using ClusterPass pass = KMeans.Assign(source, centroids, options.ChunkTokens, cancellationToken);
            Tensor moved = KMeans.Means(pass, centroids);
            KMeans.Reseed(source, pass, centroids, moved, options.ChunkTokens, cancellationToken);
            double shift = SquaredShift(centroids, moved);
            centroids.Dispose();
            centroids = moved;
            if (shift <= tolerance || iteration == options.MaxIterations)
            {
                return (centroids, pass.Potential);
            }
        }
    }

    /// <summary>
    /// Dissolves the smallest cluster while it has too few tokens; disposes <paramref name="centroids"/>.
    /// </summary>
    private Tensor MergeSmall(Tensor centroids)
    {
        while (true)
        {
            using ClusterPass pass = KMeans.Assign(tokens, centroids, options.ChunkTokens, cancellationToken);
            int smallest = Array.IndexOf(pass.Counts, pass.Counts.Min());
            if (pass.Counts[smallest] >= options.MinimumTokensPerExpert || pass.Counts.Length == 1)
            {
                return centroids;
            }

            Tensor rest = KMeans.Without(centroids, smallest);
            centroids.Dispose();
            using ClusterPass without = KMeans.Assign(tokens, rest, options.ChunkTokens, cancellationToken);
            centroids = KMeans.Means(without, rest);
            rest.Dispose();
        }
    }

    /// <summary>Mean variance of a feature: the tokens lie around the origin.</summary>
    private static double MeanSquare(Tensor sample)
    {
        using Tensor squares = sample.Squared();
        using Tensor mean = squares.mean();
        return mean.item<float>();
    }

    private static double SquaredShift(Tensor from, Tensor to)
    {
        using var scope = NewDisposeScope();
        return (to - from).Squared().sum(ScalarType.Float64).item<double>();
    }
}
