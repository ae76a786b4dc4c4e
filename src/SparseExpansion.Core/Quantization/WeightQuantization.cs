namespace SparseExpansion.Quantization;

/// <summary>
/// The rounding of the kept weights of a pruned layer: to evenly spaced levels between the smallest and the largest
/// weight of a group, 0 among them. The asymmetric min-max grid of GPTQ
/// (Frantar et al. 2022, arXiv 2210.17323) and SparseGPT.
/// </summary>
public sealed record WeightQuantization
{
    /// <summary>
    /// Bits of a weight: 2, 3, 4 or 8. 4 by default; 2 and 3 lose much, unless they are worth it for their bytes.
    /// </summary>
    public int Bits { get; init; } = 4;

    /// <summary>
    /// Consecutive input features of a row that share a grid: 64 or 128, or null for the whole row. Smaller groups are
    /// more accurate and cost three bytes each. 128 by default.
    /// </summary>
    public int? GroupSize { get; init; } = 128;

    /// <summary>The largest code; the smallest is 0.</summary>
    internal int MaximumCode => (1 << Bits) - 1;

    /// <summary>Columns of a group in a row of so many columns; the last group of a row may be narrower.</summary>
    internal int GroupWidth(long columns) => GroupSize ?? checked((int)columns);

    /// <summary>Groups of a row.</summary>
    internal int GroupCount(long columns) => GroupSize is { } size ? checked((int)((columns + size - 1) / size)) : 1;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        Require(Bits is 2 or 3 or 4 or 8, nameof(Bits), Bits, "2, 3, 4 or 8");
        Require(GroupSize is null or 64 or 128, nameof(GroupSize), GroupSize, "64, 128, or null for a grid a row");
    }

    private static void Require(bool holds, string name, object? value, string condition)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"{nameof(WeightQuantization)}.{name} must be {condition}.");
        }
    }
}
