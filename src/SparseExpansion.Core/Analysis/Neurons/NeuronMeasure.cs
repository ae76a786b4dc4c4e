using SparseExpansion.Analysis.Distances;

namespace SparseExpansion.Analysis.Neurons;

/// <summary>A measure of a neuron.</summary>
public enum NeuronMeasure
{
    /// <summary>W₁ of the standardized outputs to N(0,1): the entanglement.</summary>
    Wasserstein,

    /// <summary>The distance at which the neuron puts inputs that lie close together.</summary>
    MappingDifficulty,

    /// <summary>Mean output.</summary>
    Mean,

    /// <summary>Population variance of the outputs.</summary>
    Variance,

    /// <summary>Skewness of the outputs.</summary>
    Skewness,

    /// <summary>Excess kurtosis of the outputs.</summary>
    ExcessKurtosis,

    /// <summary>Euclidean norm of the neuron's weights.</summary>
    WeightNorm,
}
