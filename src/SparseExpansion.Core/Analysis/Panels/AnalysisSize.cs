namespace SparseExpansion.Analysis.Panels;

/// <summary>The sizes that decide the memory of an analysis.</summary>
/// <param name="Layer">For messages.</param>
/// <param name="Tokens">Number of tokens n.</param>
/// <param name="Neurons">Neurons to analyze.</param>
/// <param name="InFeatures">Width of a token.</param>
/// <param name="Maps">Outputs held of every neuron: 1, or 2 where sparse ones are compared with dense ones.</param>
/// <param name="Weights">Weights held of every neuron: one for each expert of each map.</param>
/// <param name="FixedBytes">Tables that all neurons share.</param>
internal sealed record AnalysisSize(
    string Layer, long Tokens, int Neurons, int InFeatures, int Maps, int Weights, long FixedBytes);
