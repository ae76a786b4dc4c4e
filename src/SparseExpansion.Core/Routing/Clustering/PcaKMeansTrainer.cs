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
    /// <summary>Creates the trainer.</summary>
    /// <param name="options">Options of the clustering; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public PcaKMeansTrainer(PcaKMeansOptions? options = null)
    {
        Options = options ?? new PcaKMeansOptions();
        Options.Validate();
    }

    /// <summary>The options of the clustering.</summary>
    public PcaKMeansOptions Options { get; }

    /// <inheritdoc/>
    public string Name => Options.UsesPca ? "pca-kmeans" : "kmeans";

    int ISizedRouterTrainer.MostExperts => Options.Experts;

    /// <inheritdoc/>
    long ISizedRouterTrainer.BytesToFit(long tokens, long features)
    {
        long projected = Options.UsesPca ? Math.Max(1, features / Options.PcaReduction!.Value) : features;
        long sample = Math.Min(tokens, Math.Max(Options.SampleTokens, Options.Experts));
        // The matrix, its eigenvectors, workspace.
        long covariance = Options.UsesPca ? 5L * features * features * sizeof(double) : 0;
        long held = Options.UsesPca ? tokens * projected : 0;
        long chunks = 3 * Math.Min(Options.ChunkTokens, tokens) * features;
        return covariance
            + (sizeof(float) * (held + (3 * sample * projected) + (sample * Options.Experts) + chunks));
    }

    /// <inheritdoc/>
    double ISizedRouterTrainer.WorkToFit(long tokens, long features)
    {
        const int usualIterations = 25;
        double projected = Options.UsesPca ? Math.Max(1, features / Options.PcaReduction!.Value) : features;
        double sample = Math.Min(tokens, Options.SampleTokens);
        double pca = Options.UsesPca
            ? (2.0 * tokens * features * (features + projected)) + (20.0 * features * features * features)
            : 0;
        return pca + (2.0 * Options.Experts * projected * usualIterations * ((Options.Restarts * sample) + tokens));
    }

    /// <inheritdoc/>
    public IRouter Fit(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(context);
        RouterGuard.CheckEnoughTokens(tokens, Options.Experts, context.Group);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor mean = TokenMean.Compute(tokens, Options.ChunkTokens, context, cancellationToken);
        if (Options.Experts == 1)
        {
            return new SingleExpertRouter(tokens.Features);
        }

        return Options.UsesPca
            ? FitProjected(tokens, mean, context, cancellationToken)
            : FitCentered(tokens, mean, context, cancellationToken);
    }

    private LinearRouter FitProjected(
        ITokenSource tokens, Tensor mean, RouterTrainingContext context, CancellationToken cancellationToken)
    {
        int count = Math.Max(1, tokens.Features / Options.PcaReduction!.Value);
        using PrincipalComponents pca = Pca.Fit(tokens, mean, count, Options.ChunkTokens, context, cancellationToken);
        Tensor projected = Pca.Project(
            tokens, mean, pca.Components, Options.ChunkTokens, context.Device, cancellationToken);
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
        new KMeansSolver(Options, tokens, context, cancellationToken).Solve();

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{Name}: {Options}";
}
