using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>The mean token of a source; checks on the way that all tokens are finite.</summary>
internal static class TokenMean
{
    /// <summary>Streams the mean.</summary>
    /// <returns>[features], float64, on the device of the context; the caller disposes it.</returns>
    /// <exception cref="CalibrationException">A token is not finite.</exception>
    public static Tensor Compute(
        ITokenSource tokens, int chunkTokens, RouterTrainingContext context, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor sum = zeros(tokens.Features, ScalarType.Float64, context.Device);
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, context.Device))
        {
            using (chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using Tensor part = chunk.sum(0, type: ScalarType.Float64);
                sum.PlusInPlace(part);
            }
        }

        // A float64 sum of finite float32 values cannot overflow, so a non-finite sum means a non-finite token.
        return sum.isfinite().all().item<bool>()
            ? sum.div_(Scalars.Of(Math.Max(tokens.TokenCount, 1))).MoveToOuterDisposeScope()
            : throw new CalibrationException(
                $"{context.Group}: calibration tokens hold NaN or infinite values. "
                + "Look for overflow in the layers before it, for example by calibrating in float32 or "
                + "bfloat16 instead of float16.")
            { Layer = context.Group };
    }
}
