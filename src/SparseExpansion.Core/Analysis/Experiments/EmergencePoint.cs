using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>The layers of one checkpoint.</summary>
/// <param name="Checkpoint">Name of the checkpoint, for example the training step.</param>
/// <param name="Layers">Its layers, as they were measured.</param>
public sealed record EmergencePoint(string Checkpoint, IReadOnlyList<LayerEntanglement> Layers);
