using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>The arithmetic on sums over tokens that statistics share.</summary>
internal static class StatisticSums
{
    /// <summary>Σ of all values in float64, row by row; see <see cref="IChecksummed"/>.</summary>
    public static double Checksum(Tensor values)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return values.sum([-1L], type: ScalarType.Float64).sum().item<double>();
    }

    /// <summary>
    /// Replaces an <paramref name="energy"/> of 0 by the layer's energy for as many tokens; in place.
    /// </summary>
    public static void FillUnseen(Tensor energy, long tokenCount, Tensor layerEnergy, long layerTokenCount)
    {
        if (layerTokenCount > 0)
        {
            using var scope = NewDisposeScope();
            Tensor share = layerEnergy.to(energy.device) * Scalars.Of((double)tokenCount / layerTokenCount);
            energy.copy_(where(energy.eq(Scalars.Of(0)), share.to(energy.dtype), energy));
        }
    }

    /// <summary>sum ← (1 − a) sum + a (n_e / n) layerSum with a = s / (s + n_e); in place.</summary>
    public static void Shrink(Tensor sum, long tokenCount, Tensor layerSum, long layerTokenCount, double priorTokens)
    {
        if (!(double.IsFinite(priorTokens) && priorTokens >= 0))
        {
            throw new ArgumentOutOfRangeException(
                nameof(priorTokens), priorTokens, "The strength of the shrinkage must be a number of at least 0.");
        }

        if (priorTokens == 0 || tokenCount == 0 || layerTokenCount == 0)
        {
            return;
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        double share = priorTokens / (priorTokens + tokenCount);
        sum.mul_(Scalars.Of(1 - share))
            .add_(layerSum.to(sum.device), alpha: Scalars.Of(share * tokenCount / layerTokenCount));
    }
}
