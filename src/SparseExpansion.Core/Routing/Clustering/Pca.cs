using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>Principal component analysis of streamed tokens.</summary>
internal static class Pca
{
    /// <summary>Components of the covariance of the tokens, descending by variance.</summary>
    /// <param name="tokens">At least one token.</param>
    /// <param name="mean">[features], float64, on the device of the context.</param>
    /// <param name="components">Number of components, in [1, features].</param>
    /// <param name="chunkTokens">Tokens on the device at a time.</param>
    /// <param name="context">The device to compute on, and the group for messages.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <exception cref="CalibrationException">Squares of the tokens overflow.</exception>
    public static PrincipalComponents Fit(
        ITokenSource tokens, Tensor mean, int components, int chunkTokens, RouterTrainingContext context,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor covariance = Covariance(tokens, mean, chunkTokens, context.Device, cancellationToken);
        if (!TensorChecks.AllFinite(covariance))
        {
            throw RouterGuard.Overflow(context.Group);
        }

        (Tensor values, Tensor vectors) = linalg.eigh(covariance);
        Tensor rows = vectors.t().flip(0).narrow(0, 0, components);
        return new PrincipalComponents(
            FixSigns(rows).MoveToOuterDisposeScope(),
            values.flip(0).narrow(0, 0, components).clamp_min(Scalars.Of(0)).MoveToOuterDisposeScope(),
            values.sum().item<double>());
    }

    /// <summary>Coordinates of the tokens along the components, held on the device.</summary>
    /// <returns>[tokens, components], float32; the caller disposes it.</returns>
    public static Tensor Project(
        ITokenSource tokens, Tensor mean, Tensor components, int chunkTokens, Device device,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor center = mean.to(ScalarType.Float32);
        Tensor columns = components.to(ScalarType.Float32).t();
        Tensor projected = empty(tokens.TokenCount, components.shape[0], ScalarType.Float32, device);
        long start = 0;
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, device))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var chunkScope = NewDisposeScope();
            long count = chunk.shape[0];
            projected.narrow(0, start, count).copy_((chunk - center).matmul(columns));
            chunk.Dispose();
            start += count;
        }

        return projected.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// (1/n) Σ (x − μ)(x − μ)ᵀ; centered before the product, since
    /// E[xxᵀ] − μμᵀ cancels where the mean is large.
    /// </summary>
    private static Tensor Covariance(
        ITokenSource tokens, Tensor mean, int chunkTokens, Device device, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor center = mean.to(ScalarType.Float32);
        Tensor sum = zeros(tokens.Features, tokens.Features, ScalarType.Float64, device);
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, device))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var chunkScope = NewDisposeScope();
            Tensor centered = chunk - center;
            sum.PlusInPlace(centered.t().matmul(centered));
            chunk.Dispose();
        }

        return sum.div_(Scalars.Of(tokens.TokenCount)).MoveToOuterDisposeScope();
    }

    /// <summary>An eigenvector is known up to its sign; the entry of largest magnitude is made positive.</summary>
    private static Tensor FixSigns(Tensor rows)
    {
        Tensor largest = rows.abs().argmax(1, keepdim: true);
        return rows * rows.gather(1, largest).sign();
    }
}
