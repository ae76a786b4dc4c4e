namespace SparseExpansion.Pruning.Refit;

/// <summary>Options of <see cref="RefitExtensions.WithRefit"/>.</summary>
public sealed record RefitOptions
{
    /// <summary>
    /// Added to the diagonal of the Hessian, as a fraction of its mean: pulls weights that the tokens do not determine
    /// toward the dense ones. At least 0 and at most 1; 0.01 by default, as in SparseGPT.
    /// </summary>
    public double Damping { get; init; } = 0.01;

    /// <summary>
    /// Bytes that the normal equations of the rows solved together may take, at least 1; 256 MiB by default.
    /// </summary>
    public long ChunkBytes { get; init; } = 256L << 20;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        if (!(Damping is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(Damping), Damping, $"{nameof(RefitOptions)}.{nameof(Damping)} must be in [0, 1].");
        }

        if (ChunkBytes < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(ChunkBytes), ChunkBytes, $"{nameof(RefitOptions)}.{nameof(ChunkBytes)} must be at least 1.");
        }
    }
}
