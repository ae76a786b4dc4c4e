namespace SparseExpansion.Analysis.Experiments;

/// <summary>The value of a model with some of its neurons sparse.</summary>
/// <param name="Layer">Module path of the layer.</param>
/// <param name="Selector">Name of the selection.</param>
/// <param name="NeuronSparsity">Share of weights that went from every chosen neuron.</param>
/// <param name="Neurons">Number of chosen neurons.</param>
/// <param name="Value">Result of the evaluator, for example perplexity.</param>
public sealed record AblationPoint(string Layer, string Selector, double NeuronSparsity, int Neurons, double Value);
