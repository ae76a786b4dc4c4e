using SparseExpansion.Calibration.Tokens;

namespace SparseExpansion.Routing.Routers;

/// <summary>One expert for all tokens: the baseline without expansion.</summary>
public sealed class SingleExpertRouterTrainer : ISizedRouterTrainer
{
    /// <inheritdoc/>
    public string Name => SingleExpertRouter.Kind;

    int ISizedRouterTrainer.MostExperts => 1;

    /// <inheritdoc/>
    long ISizedRouterTrainer.BytesToFit(long tokens, long features) => 0;

    /// <inheritdoc/>
    double ISizedRouterTrainer.WorkToFit(long tokens, long features) => 0;

    /// <inheritdoc/>
    public IRouter Fit(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(context);
        RouterGuard.CheckEnoughTokens(tokens, 1, context.Group);
        RouterGuard.CheckFinite(tokens, context, cancellationToken);
        return new SingleExpertRouter(tokens.Features);
    }

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => Name;
}
