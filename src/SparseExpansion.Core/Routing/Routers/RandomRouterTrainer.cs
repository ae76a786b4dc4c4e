using SparseExpansion.Calibration.Tokens;
using TorchSharp;

namespace SparseExpansion.Routing.Routers;

/// <summary>
/// Control for experiments: as many experts as asked for, tokens assigned at random (<see cref="RandomRouter"/>).
/// </summary>
public sealed class RandomRouterTrainer : ISizedRouterTrainer
{
    private readonly int _experts;

    /// <summary>Creates the trainer.</summary>
    /// <param name="experts">Number of experts.</param>
    public RandomRouterTrainer(int experts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(experts, 1);
        _experts = experts;
    }

    /// <inheritdoc/>
    public string Name => RandomRouter.Kind;

    int ISizedRouterTrainer.MostExperts => _experts;

    /// <inheritdoc/>
    long ISizedRouterTrainer.BytesToFit(long tokens, long features) => sizeof(float) * (tokens + features);

    /// <inheritdoc/>
    double ISizedRouterTrainer.WorkToFit(long tokens, long features) => 2.0 * tokens * features;

    /// <inheritdoc/>
    public IRouter Fit(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(context);
        RouterGuard.CheckEnoughTokens(tokens, _experts, context.Group);
        RouterGuard.CheckFinite(tokens, context, cancellationToken);
        var router = new RandomRouter(tokens.Features, _experts, context.Seed);
        router.to(context.Device);
        return router;
    }

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{Name}: Experts = {_experts}";
}
