using TorchSharp;

namespace SparseExpansion.Calibration;

/// <summary>Facts about a linear layer that are known before its inputs are seen.</summary>
/// <param name="Name">Module path in the model, for example <c>model.layers.0.mlp.down_proj</c>.</param>
/// <param name="InFeatures">Columns of the weight.</param>
/// <param name="OutFeatures">Rows of the weight.</param>
/// <param name="Device">Device of the weight, on which statistics are gathered and pruning runs.</param>
public sealed record LayerDescriptor(string Name, int InFeatures, int OutFeatures, torch.Device Device);
