using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Panels;

/// <summary>Outputs of consecutive neurons.</summary>
/// <param name="First">Position of the first one among the analyzed neurons.</param>
/// <param name="Outputs">[neurons, tokens], float32, for each map.</param>
/// <param name="WeightNorms">Norms of the first map's weights, one a neuron.</param>
internal sealed record PanelSlice(int First, Tensor[] Outputs, ReadOnlyMemory<double> WeightNorms);
