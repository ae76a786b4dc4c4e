using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>Options of <see cref="SparseGptSparsifier"/>; the defaults are those of the paper.</summary>
public sealed record SparseGptOptions
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
    /// Columns pruned between two updates of all later columns. N:M group sizes must divide it, and with
    /// <see cref="SparsityScope.ColumnBlock"/> (the default scope) it is also the
    /// block in which weights compete. 128 by default.
    /// </summary>
    public int BlockSize { get; init; } = SparsityTarget.ColumnBlockSize;

    /// <summary>
    /// Rounds kept weights to few bits with the same inverse Hessian: what rounding loses, later weights make up for,
    /// as for pruned ones (section 3.4 of the paper). Null, the default, keeps them as they
    /// are. Its groups must divide <see cref="BlockSize"/>.
    /// </summary>
    public WeightQuantization? Quantization { get; init; }

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
        Require(BlockSize is >= 1 and <= 4096, nameof(BlockSize), BlockSize, "in [1, 4096]");
        Quantization?.Validate();
        Require(
            BlockSize % (Quantization?.GroupSize ?? 1) == 0, nameof(BlockSize), BlockSize,
            "divisible by the groups of its Quantization");
    }

    private static void Require(bool holds, string name, object value, string condition)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"{nameof(SparseGptOptions)}.{name} must be {condition}.");
        }
    }
}
