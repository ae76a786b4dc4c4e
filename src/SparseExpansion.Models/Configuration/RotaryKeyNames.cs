namespace SparseExpansion.Models.Configuration;

/// <summary>Top-level keys of rotary positions, and what a missing one means.</summary>
internal sealed record RotaryKeyNames
{
    /// <summary>Keys of the base of the wavelengths.</summary>
    public IReadOnlyList<string> Theta { get; init; } = ["rope_theta"];

    /// <summary>The base in files that do not say.</summary>
    public double MissingTheta { get; init; } = 10000;

    /// <summary>Keys of the rotated fraction of a head.</summary>
    public IReadOnlyList<string> Fraction { get; init; } = ["partial_rotary_factor"];

    /// <summary>The fraction in files that do not say.</summary>
    public double MissingFraction { get; init; } = 1;

    /// <summary>
    /// Context of pre-training in files that do not say; null means the length that the model was made for.
    /// </summary>
    public int? MissingOriginalContext { get; init; }
}
