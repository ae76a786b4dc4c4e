using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Panels;

/// <summary>Weights of a panel of neurons, float32.</summary>
/// <param name="Weights">[neurons, in_features] of every expert.</param>
/// <param name="Bias">[neurons, 1], or null.</param>
internal sealed record PanelWeights(Tensor[] Weights, Tensor? Bias);
