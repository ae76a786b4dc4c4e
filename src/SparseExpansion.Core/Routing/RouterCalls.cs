using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>Calls trainers and routers, custom ones above all, and checks what they return.</summary>
internal static class RouterCalls
{
    /// <summary>Fits a router.</summary>
    /// <exception cref="SparseExpansionException">The trainer returned no router,
    /// or one that does not fit the tokens.</exception>
    public static IRouter Fit(
        IRouterTrainer trainer, ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken)
    {
        IRouter? router = trainer.Fit(TokenCopies.For(trainer, tokens), context, cancellationToken);
        if (router is null)
        {
            throw new SparseExpansionException(
                $"The trainer {CustomPart.Describe(trainer.Name, trainer)} returned null in place of a router.");
        }

        if (router.ExpertCount >= 1 && router.InputFeatures == tokens.Features)
        {
            return router;
        }

        using (router)
        {
            throw new SparseExpansionException(
                $"The trainer {CustomPart.Describe(trainer.Name, trainer)} returned a {router.GetType().Name} of "
                + $"{router.ExpertCount} experts for tokens of width "
                + $"{router.InputFeatures}; it must have at least one expert and read tokens "
                + $"of width {tokens.Features}.");
        }
    }

    /// <summary>The expert of every token.</summary>
    /// <param name="router">The router.</param>
    /// <param name="tokens">[tokens, in_features].</param>
    /// <returns>int64 [tokens], on the device of the tokens; whether the
    /// experts exist is for the caller to see.</returns>
    /// <exception cref="SparseExpansionException">The router returned something else.</exception>
    public static Tensor Route(IRouter router, Tensor tokens)
    {
        using Tensor? own = CustomPart.Copy(router, tokens);
        Tensor? experts = router.Route(own ?? tokens);
        if (experts is null)
        {
            throw new SparseExpansionException(
                $"{router.GetType().Name} returned null for {tokens.shape[0]} tokens; "
                + "a router returns int64 [tokens].");
        }

        if (experts.dtype == ScalarType.Int64 && experts.dim() == 1 && experts.shape[0] == tokens.shape[0]
            && Placement.Same(experts.device, tokens.device))
        {
            return experts;
        }

        using (experts)
        {
            throw new SparseExpansionException(
                $"{router.GetType().Name} returned {TensorText.Of(experts)} on "
                + $"{experts.device} for {tokens.shape[0]} tokens on {tokens.device}; "
                + "a router returns int64 [tokens], one expert a token, on their device.");
        }
    }

    /// <summary>The router without an expert.</summary>
    /// <exception cref="SparseExpansionException">What it returned has not one expert less.</exception>
    public static IReducibleRouter Without(IReducibleRouter router, int expert)
    {
        IReducibleRouter? reduced = router.Without(expert);
        if (reduced is not null && reduced.ExpertCount == router.ExpertCount - 1
            && reduced.InputFeatures == router.InputFeatures)
        {
            return reduced;
        }

        string got = reduced is null
            ? "null"
            : $"a router of {reduced.ExpertCount} experts for tokens of width {reduced.InputFeatures}";
        if (!ReferenceEquals(reduced, router))
        {
            reduced?.Dispose();
        }

        throw new SparseExpansionException(
            $"{router.GetType().Name}.Without({expert}) returned {got}; "
            + $"it must return a router of {router.ExpertCount - 1} experts for tokens of "
            + $"width {router.InputFeatures}.");
    }
}
