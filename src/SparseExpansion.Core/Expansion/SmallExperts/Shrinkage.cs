using System.Globalization;

namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>
/// Degree to which the statistic of an expert leans on that of its layer, H_e / n_e ← (1 − a) H_e / n_e + a H / n with
/// a = s / (s + n_e). A Hessian of d features that has seen fewer than some multiples of d tokens describes these
/// tokens and not the cluster: an expert pruned for it fits them too well. See
/// <see cref="Calibration.Statistics.IShrinkable"/>.
/// </summary>
public sealed record Shrinkage
{
    private Shrinkage(double? priorTokens, double heldOutShare) =>
        (PriorTokens, HeldOutShare) = (priorTokens, heldOutShare);

    /// <summary>Every expert keeps to its own tokens: the published method.</summary>
    public static Shrinkage Off { get; } = new(0, 0);

    /// <summary>s; 0 where it is off, null where it is chosen by held-out tokens.</summary>
    public double? PriorTokens { get; }

    /// <summary>Share of the calibration tokens that choose the strength; 0 where it is given.</summary>
    public double HeldOutShare { get; }

    /// <summary>A given strength.</summary>
    /// <param name="priorTokens">s, finite and at least 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The strength is out of range.</exception>
    public static Shrinkage Fixed(double priorTokens) => double.IsFinite(priorTokens) && priorTokens >= 0
        ? new Shrinkage(priorTokens, 0)
        : throw new ArgumentOutOfRangeException(
            nameof(priorTokens), priorTokens, "The strength of the shrinkage must be a number of at least 0.");

    /// <summary>
    /// For each input group the strength, out of 0, d/8, d/2, 2d and 8d tokens with d = in_features, whose experts have
    /// the least output error on tokens that took no part. Tried on at most 256 rows of the group's first linear; the
    /// experts are then made from all tokens.
    /// </summary>
    /// <param name="share">Share of the calibration tokens, the last ones, that is held out, in (0, 0.5].</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is out of range.</exception>
    public static Shrinkage HeldOut(double share = 0.1) => share is > 0 and <= 0.5
        ? new Shrinkage(null, share)
        : throw new ArgumentOutOfRangeException(
            nameof(share), share, "The held-out share must be above 0 and at most 0.5.");

    /// <summary><c>off</c>, <c>auto</c> or the strength.</summary>
    public override string ToString() => PriorTokens switch
    {
        null => string.Create(CultureInfo.InvariantCulture, $"auto ({HeldOutShare} held out)"),
        0 => "off",
        { } tokens => tokens.ToString(CultureInfo.InvariantCulture),
    };
}
