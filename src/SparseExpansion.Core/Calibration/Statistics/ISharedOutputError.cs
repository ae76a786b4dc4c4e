using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>
/// A statistic that computes the output errors of many weights made from one dense weight at less cost.
/// </summary>
internal interface ISharedOutputError : IOutputErrorStatistic
{
    /// <summary>The same as <see cref="IOutputErrorStatistic.RelativeOutputError"/>.</summary>
    /// <param name="dense">W, [out_features, in_features].</param>
    /// <param name="gram">WᵀW, [in_features, in_features], float32.</param>
    /// <param name="changed">P, [out_features, in_features].</param>
    double RelativeOutputError(Tensor dense, Tensor gram, Tensor changed);
}
