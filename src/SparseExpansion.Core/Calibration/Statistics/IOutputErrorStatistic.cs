using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>A statistic from which the output error of a changed weight follows exactly.</summary>
public interface IOutputErrorStatistic : IActivationStatistic
{
    /// <summary>‖X(W − P)ᵀ‖² / ‖XWᵀ‖² over all observed tokens X; 0 when both vanish.</summary>
    /// <param name="dense">W, [out_features, in_features].</param>
    /// <param name="changed">P, [out_features, in_features].</param>
    double RelativeOutputError(Tensor dense, Tensor changed);
}
