using SparseExpansion.Analysis.Distances;

namespace SparseExpansion.Analysis.Neurons;

/// <summary>Measures of one neuron over all tokens.</summary>
/// <param name="Neuron">Row of the weight.</param>
/// <param name="Wasserstein">W₁ of the standardized outputs to N(0,1), in
/// standard deviations; 0 for a constant neuron.</param>
/// <param name="MappingDifficulty">
/// Mean over token pairs of (|Δy| / median|Δy|) / (‖Δx‖ / max‖Δx‖); 0 for a neuron
/// whose median |Δy| is 0; NaN where no pair was measured.
/// </param>
/// <param name="Mean">Mean output, bias included.</param>
/// <param name="Variance">Population variance; 0 for a constant neuron.</param>
/// <param name="Skewness">m₃ / m₂^1.5; 0 for a constant neuron.</param>
/// <param name="ExcessKurtosis">m₄ / m₂² − 3; 0 for a constant neuron.</param>
/// <param name="WeightNorm">‖w‖₂; for a mixture the mean over its experts, weighted by their tokens.</param>
/// <param name="IsConstant">True if the outputs do not differ by more than float32 rounding.</param>
public sealed record NeuronStatistics(
    int Neuron,
    double Wasserstein,
    double MappingDifficulty,
    double Mean,
    double Variance,
    double Skewness,
    double ExcessKurtosis,
    double WeightNorm,
    bool IsConstant)
{
    /// <summary>The value of a measure.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such measure.</exception>
    public double this[NeuronMeasure measure] => measure switch
    {
        NeuronMeasure.Wasserstein => Wasserstein,
        NeuronMeasure.MappingDifficulty => MappingDifficulty,
        NeuronMeasure.Mean => Mean,
        NeuronMeasure.Variance => Variance,
        NeuronMeasure.Skewness => Skewness,
        NeuronMeasure.ExcessKurtosis => ExcessKurtosis,
        NeuronMeasure.WeightNorm => WeightNorm,
        _ => throw new ArgumentOutOfRangeException(nameof(measure), measure, "Unknown measure."),
    };
}
