using SparseExpansion.Models;
using SparseExpansion.Transformers.Decoder.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Norms;

/// <summary>Makes the norms that a configuration names.</summary>
internal static class Norm
{
    /// <summary>A norm of the last dimension.</summary>
    /// <param name="config">Kind and ε.</param>
    /// <param name="size">Number of features.</param>
    /// <param name="bias">True for a layer norm with a bias.</param>
    /// <param name="placement">Device and type of the weights.</param>
    public static nn.Module<Tensor, Tensor> Create(ModelConfig config, long size, bool bias, WeightPlacement placement) =>
        config.Norm switch
        {
            NormKind.Rms => new RmsNorm(size, config.NormEpsilon, 0, placement),
            NormKind.RmsAroundOne => new RmsNorm(size, config.NormEpsilon, 1, placement),
            NormKind.Layer => new LayerNorm(size, config.NormEpsilon, bias, placement),
            _ => throw new ArgumentOutOfRangeException(nameof(config), config.Norm, "Unknown norm."),
        };
}
