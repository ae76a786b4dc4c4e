using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Pruners;

/// <summary>A random weight, and pruners' statistics of correlated tokens, four for each feature.</summary>
internal sealed class PrunerWorkload : IDisposable
{
    public PrunerWorkload(int rows, int columns)
    {
        random.manual_seed(1);
        Weight = randn(rows, columns);
        Hessian = new HessianStatistic(columns, CPU);
        Norms = new ColumnNormStatistic(columns, CPU);
        Count = new TokenCountStatistic(columns);
        using Tensor gaussian = randn(columns, columns), mixing = gaussian.div(Scalars.Of(Math.Sqrt(columns))), independent = randn(4 * columns, columns);
        using Tensor tokens = independent.matmul(mixing);
        Hessian.Observe(tokens);
        Norms.Observe(tokens);
        Count.Observe(tokens);
    }

    public Tensor Weight { get; }

    public HessianStatistic Hessian { get; }

    public ColumnNormStatistic Norms { get; }

    public TokenCountStatistic Count { get; }

    public void Dispose()
    {
        Weight.Dispose();
        Hessian.Dispose();
        Norms.Dispose();
        Count.Dispose();
    }
}
