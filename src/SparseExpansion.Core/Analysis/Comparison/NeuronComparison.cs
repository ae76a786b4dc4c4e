using SparseExpansion.Analysis.Distances;

namespace SparseExpansion.Analysis.Comparison;

/// <summary>Sparse against dense outputs of one neuron.</summary>
/// <param name="Neuron">Row of the weight.</param>
/// <param name="RootMeanSquareError">√(mean (y_sparse − y_dense)²), in the unit of the outputs.</param>
/// <param name="Wasserstein">W₁ between the sparse and the dense output
/// distribution, in the unit of the outputs.</param>
/// <param name="DenseStandardDeviation">Standard deviation of the dense outputs.</param>
/// <param name="DenseToGaussian">W₁ of the standardized dense outputs to N(0,1).</param>
/// <param name="SparseToGaussian">W₁ of the standardized sparse outputs to N(0,1).</param>
public sealed record NeuronComparison(
    int Neuron,
    double RootMeanSquareError,
    double Wasserstein,
    double DenseStandardDeviation,
    double DenseToGaussian,
    double SparseToGaussian)
{
    /// <summary>
    /// <see cref="Wasserstein"/> in standard deviations of the dense outputs; NaN for a constant neuron.
    /// </summary>
    public double RelativeWasserstein => DenseStandardDeviation > 0 ? Wasserstein / DenseStandardDeviation : double.NaN;
}
