using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>Made-up tokens that fall into blobs, and slow references in double precision.</summary>
internal static class ClusteredTokens
{
    /// <summary>
    /// [perBlob · blobs, features], blob after blob, spread 1 around centers of
    /// spread <paramref name="distance"/> and offset.
    /// </summary>
    public static Tensor Blobs(int blobs, int perBlob, int features, double distance, double offset = 0, ulong seed = 1)
    {
        using var generator = new Generator(seed);
        using var scope = NewDisposeScope();
        Tensor centers = (randn(blobs, features, generator: generator) * Scalars.Of(distance)).Plus(offset);
        Tensor noise = randn(blobs * perBlob, features, generator: generator);
        return centers.repeat_interleave(perBlob, 0).Plus(noise).MoveToOuterDisposeScope();
    }

    public static double[,] ToMatrix(Tensor values)
    {
        using var scope = NewDisposeScope();
        double[] flat = values.to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        var matrix = new double[values.shape[0], values.shape[1]];
        Buffer.BlockCopy(flat, 0, matrix, 0, flat.Length * sizeof(double));
        return matrix;
    }

    public static double SquaredDistance(double[,] tokens, int token, double[,] centroids, int centroid)
    {
        double sum = 0;
        for (int feature = 0; feature < tokens.GetLength(1); feature++)
        {
            double difference = tokens[token, feature] - centroids[centroid, feature];
            sum += difference * difference;
        }

        return sum;
    }

    public static int Nearest(double[,] tokens, int token, double[,] centroids) =>
        Enumerable.Range(0, centroids.GetLength(0)).MinBy(centroid => SquaredDistance(tokens, token, centroids, centroid));

    /// <summary>Σ min_j ‖x − c_j‖².</summary>
    public static double Inertia(double[,] tokens, double[,] centroids) => Enumerable.Range(0, tokens.GetLength(0))
        .Sum(token => SquaredDistance(tokens, token, centroids, Nearest(tokens, token, centroids)));

    /// <summary>One Lloyd iteration.</summary>
    public static double[,] LloydStep(double[,] tokens, double[,] centroids)
    {
        var moved = (double[,])centroids.Clone();
        var members = Enumerable.Range(0, tokens.GetLength(0)).ToLookup(token => Nearest(tokens, token, centroids));
        foreach (IGrouping<int, int> cluster in members)
        {
            for (int feature = 0; feature < tokens.GetLength(1); feature++)
            {
                moved[cluster.Key, feature] = cluster.Average(token => tokens[token, feature]);
            }
        }

        return moved;
    }

    /// <summary>Largest |a − b|.</summary>
    public static double MaxDifference(Tensor left, Tensor right)
    {
        using var scope = NewDisposeScope();
        return (left.to(ScalarType.Float64) - right.to(ScalarType.Float64)).abs().max().item<double>();
    }
}
