using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>Checks that routers and their trainers share.</summary>
internal static class RouterGuard
{
    /// <summary>Refuses tokens that are not a floating matrix of the given width.</summary>
    public static void CheckTokens(Tensor tokens, int inputFeatures)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.dim() != 2 || !tokens.is_floating_point() || tokens.shape[1] != inputFeatures)
        {
            throw new ArgumentException(
                $"The router takes floating tokens [tokens, {inputFeatures}], "
                + $"got {TensorText.Of(tokens)}.",
                nameof(tokens));
        }
    }

    /// <summary>Refuses more experts than tokens.</summary>
    public static void CheckEnoughTokens(ITokenSource tokens, int experts, string group)
    {
        if (tokens.TokenCount < experts)
        {
            throw new TooManyExpertsException(
                $"{group}: {experts} experts were asked for, but only "
                + $"{tokens.TokenCount} calibration tokens were seen. "
                + "Calibrate on more tokens or ask for fewer experts.",
                group, experts, tokens.TokenCount);
        }
    }

    /// <summary>Refuses non-finite tokens; for trainers that do not look at the values otherwise.</summary>
    public static void CheckFinite(
        ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken)
    {
        const int chunkTokens = 8_192;
        using Tensor mean = TokenMean.Compute(tokens, chunkTokens, context, cancellationToken);
    }

    /// <summary>The error for finite tokens whose squared lengths are not.</summary>
    public static CalibrationException Overflow(string group) => new(
        $"{group}: calibration tokens are so large that their squares overflow float32, "
        + "so distances between them are meaningless. "
        + "Look for an earlier layer whose outputs explode.")
    { Layer = group };
}
