using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>
/// The published router (arXiv 2405.15756, section 3): tokens are projected to their principal components and clustered
/// by k-means; a token goes to the expert of its nearest centroid. The result is folded into a
/// <see cref="LinearRouter"/>.
/// </summary>
/// <remarks>
/// Tokens stream through the device in chunks; only the projected tokens, or without a projection the sample of the
/// restarts, are held there. The same seed and tokens give the same router on the same device.
/// </remarks>
public sealed class PcaKMeansTrainer : ISizedRouterTrainer
{
    private readonly PcaKMeansOptions _options;

    /// <summary>Creates the trainer.</summary>
    /// <param name="options">Options of the clustering; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public PcaKMeansTrainer(PcaKMeansOptions? options = null)
    {
        _options = options ?? new PcaKMeansOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public string Name => _options.UsesPca ? "pca-kmeans" : "kmeans";

    int ISizedRouterTrainer.MostExperts => _options.Experts;

    /// <inheritdoc/>
    long ISizedRouterTrainer.BytesToFit(long tokens, long features)
    {
        long projected = _options.UsesPca ? Math.Max(1, features / _options.PcaReduction!.Value) : features;
        long sample = Math.Min(tokens, Math.Max(_options.SampleTokens, _options.Experts));
        // The matrix, its eigenvectors, workspace.
        long covariance = _options.UsesPca ? 5L * features * features * sizeof(double) : 0;
        long held = _options.UsesPca ? tokens * projected : 0;
        long chunks = 3 * Math.Min(_options.ChunkTokens, tokens) * features;
        return covariance
            + (sizeof(float) * (held + (3 * sample * projected) + (sample * _options.Experts) + chunks));
    }

    /// <inheritdoc/>
    double ISizedRouterTrainer.WorkToFit(long tokens, long features)
    {
        const int usualIterations = 25;
        double projected = _options.UsesPca ? Math.Max(1, features / _options.PcaReduction!.Value) : features;
        double sample = Math.Min(tokens, _options.SampleTokens);
        double pca = _options.UsesPca
            ? (2.0 * tokens * features * (features + projected)) + (20.0 * features * features * features)
            : 0;
        return pca + (2.0 * _options.Experts * projected * usualIterations * ((_options.Restarts * sample) + tokens));
    }

    /// <inheritdoc/>
    public IRouter Fit(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(context);
        RouterGuard.CheckEnoughTokens(tokens, _options.Experts, context.Group);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor mean = TokenMean.Compute(tokens, _options.ChunkTokens, context, cancellationToken);
        if (_options.Experts == 1)
        {
            return new SingleExpertRouter(tokens.Features);
        }

        return _options.UsesPca
            ? FitProjected(tokens, mean, context, cancellationToken)
            : FitCentered(tokens, mean, context, cancellationToken);
    }

    private LinearRouter FitProjected(
        ITokenSource tokens, Tensor mean, RouterTrainingContext context, CancellationToken cancellationToken)
    {
        int count = Math.Max(1, tokens.Features / _options.PcaReduction!.Value);
        using PrincipalComponents pca = Pca.Fit(tokens, mean, count, _options.ChunkTokens, context, cancellationToken);
        Tensor projected = Pca.Project(
            tokens, mean, pca.Components, _options.ChunkTokens, context.Device, cancellationToken);
        return LinearRouter.FoldPcaKMeans(
            mean, pca.Components, Cluster(new TokenMatrix(projected), context, cancellationToken));
    }

    private LinearRouter FitCentered(
        ITokenSource tokens, Tensor mean, RouterTrainingContext context, CancellationToken cancellationToken)
    {
        // The router must subtract the very mean that the centroids were found around.
        Tensor center = mean.to(ScalarType.Float32);
        return LinearRouter.FoldPcaKMeans(
            center, null, Cluster(new CenteredTokens(tokens, center), context, cancellationToken));
    }

    private Tensor Cluster(ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken) =>
        new KMeansSolver(_options, tokens, context, cancellationToken).Solve();

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{Name}: {_options}";
}
