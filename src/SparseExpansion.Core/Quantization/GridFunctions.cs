using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Quantization;

/// <summary>
/// The mathematics of grids, on tensors of any device. A grid has a scale s, a bfloat16 number, and an integer zero
/// point z; its values are s(c − z) for the codes c = 0 … 2ᵇ − 1. Since s has 8 significant bits, every value
/// is exact in float32.
/// </summary>
internal static class GridFunctions
{
    /// <summary>Scale and zero point of groups: the range of the weights and 0 in 2ᵇ − 1 steps.</summary>
    /// <param name="groups">[.., width], float32.</param>
    /// <param name="maximumCode">2ᵇ − 1.</param>
    /// <returns>[.., 1] each, float32; a group of zeros has the scale 1.</returns>
    public static (Tensor Scale, Tensor Zero) Fit(Tensor groups, int maximumCode)
    {
        using var scope = NewDisposeScope();
        Tensor minimum = groups.amin([-1L], keepdim: true).clamp_(max: Scalars.Of(0)),
            maximum = groups.amax([-1L], keepdim: true).clamp_(min: Scalars.Of(0));
        Tensor scale = ((maximum - minimum) / Scalars.Of(maximumCode)).to(ScalarType.BFloat16).to(ScalarType.Float32);
        scale.masked_fill_(scale.eq(Scalars.Of(0)), Scalars.Of(1));
        Tensor zero = (-minimum).div_(scale).round_().clamp_(Scalars.Of(0), Scalars.Of(maximumCode));
        return (scale.MoveToOuterDisposeScope(), zero.MoveToOuterDisposeScope());
    }

    /// <summary>The codes of the nearest values.</summary>
    /// <param name="weights">[.., width], float32.</param>
    /// <param name="scale">Broadcast to the weights.</param>
    /// <param name="zero">Broadcast to the weights.</param>
    /// <param name="maximumCode">2ᵇ − 1.</param>
    /// <returns>[.., width], float32.</returns>
    public static Tensor Codes(Tensor weights, Tensor scale, Tensor zero, int maximumCode) =>
        (weights / scale).round_().PlusInPlace(zero).clamp_(Scalars.Of(0), Scalars.Of(maximumCode));

    /// <summary>The nearest values.</summary>
    public static Tensor Round(Tensor weights, Tensor scale, Tensor zero, int maximumCode) =>
        Codes(weights, scale, zero, maximumCode).sub_(zero).mul_(scale);
}
