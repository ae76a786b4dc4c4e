namespace SparseExpansion.Expansion.Refinement;

/// <summary>Options of routers that learn from the errors that their experts make.</summary>
/// <remarks>
/// A round assigns every calibration token to the expert with the least output error over the group's linears, fits a
/// linear router to these errors and prunes again. The router is kept only if the error of routed tokens that took no
/// part falls.
/// </remarks>
public sealed record RouterRefinementOptions
{
    /// <summary>Largest number of rounds; the first one that does not help is the last. Default 8.</summary>
    public int Rounds { get; init; } = 8;

    /// <summary>
    /// Share of the calibration tokens, the last ones, that decides whether a router is kept. In (0, 0.5]; default 0.1.
    /// </summary>
    public double HoldOut { get; init; } = 0.1;

    /// <summary>
    /// Tokens, evenly spread, that a router is fitted to; they and their errors lie on the device. Default 65,536.
    /// </summary>
    public int FitTokens { get; init; } = 65_536;

    /// <summary>Rows of each linear that the errors are measured on, evenly spread. Default 1,024.</summary>
    public int Rows { get; init; } = 1_024;

    /// <summary>Passes over the tokens that fit a router. Default 20.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>
    /// Weight of the squared router weights in what is minimized, for features of variance 1. Default 1e-4.
    /// </summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Rounds, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FitTokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Epochs, 1);
        if (HoldOut is not (> 0 and <= 0.5))
        {
            throw new ArgumentOutOfRangeException(nameof(HoldOut), HoldOut, "Must be above 0 and at most 0.5.");
        }

        if (!(double.IsFinite(WeightDecay) && WeightDecay >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(WeightDecay), WeightDecay, "Must be a number of at least 0.");
        }
    }
}
