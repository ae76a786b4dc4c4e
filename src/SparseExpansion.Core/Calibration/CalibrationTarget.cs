using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration;

/// <summary>A linear whose inputs are to be seen.</summary>
/// <param name="Name">Module path in the model.</param>
/// <param name="Module">The module that is called.</param>
internal sealed record CalibrationTarget(string Name, nn.Module<Tensor, Tensor> Module);
