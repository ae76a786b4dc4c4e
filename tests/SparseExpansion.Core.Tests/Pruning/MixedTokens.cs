using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Random numbers of a seed, and tokens whose features are mixed a little.</summary>
internal static class MixedTokens
{
    /// <summary>The Hessian of random tokens, mixed.</summary>
    public static HessianStatistic Observe(int columns, int seed, int tokens)
    {
        using var scope = NewDisposeScope();
        var statistic = new HessianStatistic(columns, CPU);
        Tensor mixing = eye(columns).PlusInPlace(Random(seed + 10, columns, columns).div_(Scalars.Of(2 * Math.Sqrt(columns))));
        statistic.Observe(Random(seed, tokens, columns).matmul(mixing));
        return statistic;
    }

    public static Tensor Random(int seed, long rows, long columns) => LeastSquaresReference.Random(seed, rows, columns);

    public static double[,] Values(Tensor matrix)
    {
        using Tensor wide = matrix.to(ScalarType.Float64);
        var values = new double[matrix.shape[0], matrix.shape[1]];
        Buffer.BlockCopy(wide.data<double>().ToArray(), 0, values, 0, values.Length * sizeof(double));
        return values;
    }
}
