using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Statistics;

/// <summary>The checks that statistics share.</summary>
internal static class StatisticChecks
{
    public static void CheckTokens(Tensor tokens, int inFeatures)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.dim() != 2 || tokens.shape[1] != inFeatures || !tokens.is_floating_point())
        {
            throw new ArgumentException(
                $"Tokens must be floating-point [tokens, {inFeatures}], "
                + $"got {TensorText.Of(tokens)}.", nameof(tokens));
        }
    }

    /// <summary>
    /// Shows tokens to a statistic: to a custom one a copy, because it may work in place on what others read after it.
    /// </summary>
    /// <exception cref="CalibrationException">The statistic does not count the tokens that it observes.</exception>
    public static void Observe(IActivationStatistic statistic, Tensor tokens)
    {
        if (!CustomPart.Is(statistic))
        {
            statistic.Observe(tokens);
            return;
        }

        long before = statistic.TokenCount, shown = tokens.shape[0];
        using Tensor detached = tokens.detach(), own = detached.clone();
        statistic.Observe(own);
        if (statistic.TokenCount != before + shown)
        {
            throw new CalibrationException(
                $"The statistic {statistic.GetType().Name} was shown {shown} tokens, "
                + $"but its TokenCount went from {before} to {statistic.TokenCount}: Observe must count every token.");
        }
    }

    /// <summary>Adds what another statistic has observed.</summary>
    /// <exception cref="CalibrationException">A custom statistic does not count the other's tokens.</exception>
    public static void Merge(IActivationStatistic statistic, IActivationStatistic other)
    {
        long before = statistic.TokenCount, added = other.TokenCount;
        statistic.Merge(other);
        if (CustomPart.Is(statistic) && statistic.TokenCount != before + added)
        {
            throw new CalibrationException(
                $"The statistic {statistic.GetType().Name} merged one of {added} tokens, "
                + $"but its TokenCount went from {before} to {statistic.TokenCount}: Merge must add the token counts.");
        }
    }

    public static TStatistic CheckOther<TStatistic>(
        TStatistic self, IActivationStatistic other, Func<TStatistic, int> inFeatures)
        where TStatistic : class, IActivationStatistic
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other is not TStatistic typed)
        {
            throw new ArgumentException(
                $"A {other.GetType().Name} cannot be merged into a {self.GetType().Name}.", nameof(other));
        }

        return inFeatures(typed) == inFeatures(self)
            ? typed
            : throw new ArgumentException(
                $"A statistic of {inFeatures(typed)} features cannot be merged into one of {inFeatures(self)}.",
                nameof(other));
    }

    /// <param name="tokenCount">Tokens that the statistic has observed.</param>
    /// <param name="squaredSums">Σ x_j² a feature, [in_features]: finite exactly if every activation was (and no square
    /// overflowed).</param>
    public static void CheckUsable(long tokenCount, Tensor squaredSums)
    {
        if (tokenCount == 0)
        {
            throw new CalibrationException(
                "The statistic has observed no token: either its layer (or expert) was never reached by the "
                + "calibration data, or Observe was never called.");
        }

        using var scope = NewDisposeScope();
        long bad = squaredSums.numel() - squaredSums.isfinite().count_nonzero().item<long>();
        if (bad > 0)
        {
            throw new CalibrationException(
                $"NaN, infinite or overflowing activations in {bad} of {squaredSums.numel()} input features, "
                + $"among {tokenCount} tokens: "
                + "check the model's dtype and the calibration data.");
        }
    }
}
