using SparseExpansion.Pruning.Factorization;

namespace SparseExpansion.Pruning.Alps;

/// <summary>Options of <see cref="AlpsSparsifier"/>.</summary>
public sealed record AlpsOptions
{
    /// <summary>Added to the diagonal of the Hessian, as a fraction of its mean. Above 0; 0.01 by default.</summary>
    public double Damping { get; init; } = 0.01;

    /// <summary>Factor of the damping after a Hessian that could not be factored. At least 2; 10 by default.</summary>
    public double DampingIncrease { get; init; } = 10;

    /// <summary>
    /// The largest damping tried, first in float32 and then in float64, before the weight goes to Wanda. 1 by default.
    /// </summary>
    public double MaxDamping { get; init; } = 1;

    /// <summary>
    /// The first penalty ρ on the distance between weights and pruned weights, in units of the Hessian's diagonal.
    /// Above 0; 0.1 by default.
    /// </summary>
    public double Penalty { get; init; } = 0.1;

    /// <summary>
    /// Growth factor of the penalty. Above 1; smaller is slower and finds better supports. 1.2 by default.
    /// </summary>
    public double PenaltyIncrease { get; init; } = 1.2;

    /// <summary>Iterations between two increases. At least 1; 2 by default.</summary>
    public int PenaltyInterval { get; init; } = 2;

    /// <summary>
    /// Iterations after which the support is taken as it is, settled or not. At least 1; 200 by default.
    /// </summary>
    public int MaxIterations { get; init; } = 200;

    /// <summary>
    /// The search for an expert's support ends when an iteration changes no more than this share of its mask. At least
    /// 0 (nothing may change) and below 1; 0.01 by default.
    /// </summary>
    public double SettledShare { get; init; } = 0.01;

    /// <summary>
    /// True if the search multiplies in bfloat16, summing in float32, on processors that are faster at it (x86 with
    /// AVX512-BF16 or AMX-BF16). Supports hardly change; the least squares on them start from a residual in float32,
    /// and are solved in it anew where bfloat16 loses more than 0.03 % of the error. True by default.
    /// </summary>
    public bool ReducedPrecision { get; init; } = true;

    /// <summary>
    /// The least squares on the final support end when an iteration lowers the output error by less than this share of
    /// it. Above 0 and below 1; 1e-4 by default, about as far as the error then is above the least possible.
    /// </summary>
    public double RefitTolerance { get; init; } = 1e-4;

    /// <summary>
    /// The most iterations of the least squares on the final support, in either precision. At least 0; 60 by default.
    /// </summary>
    public int MaxRefitIterations { get; init; } = 60;

    internal DampingSchedule DampingSchedule => new(Damping, DampingIncrease, MaxDamping);

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        Require(double.IsFinite(Damping) && Damping > 0, nameof(Damping), Damping, "finite and above 0");
        Require(
            double.IsFinite(DampingIncrease) && DampingIncrease >= 2, nameof(DampingIncrease), DampingIncrease,
            "finite and at least 2");
        Require(
            double.IsFinite(MaxDamping) && MaxDamping >= Damping, nameof(MaxDamping), MaxDamping,
            $"finite and at least {nameof(Damping)}");
        Require(double.IsFinite(Penalty) && Penalty > 0, nameof(Penalty), Penalty, "finite and above 0");
        Require(PenaltyIncrease is > 1 and <= 1e6, nameof(PenaltyIncrease), PenaltyIncrease, "above 1 and at most 1e6");
        Require(PenaltyInterval >= 1, nameof(PenaltyInterval), PenaltyInterval, "at least 1");
        Require(MaxIterations >= 1, nameof(MaxIterations), MaxIterations, "at least 1");
        Require(SettledShare is >= 0 and < 1, nameof(SettledShare), SettledShare, "at least 0 and below 1");
        Require(RefitTolerance is > 0 and < 1, nameof(RefitTolerance), RefitTolerance, "above 0 and below 1");
        Require(MaxRefitIterations >= 0, nameof(MaxRefitIterations), MaxRefitIterations, "at least 0");
    }

    private static void Require(bool holds, string name, object value, string condition)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{nameof(AlpsOptions)}.{name} must be {condition}.");
        }
    }
}
