namespace SparseExpansion;

/// <summary>A router is asked for more experts than there are calibration tokens.</summary>
public sealed class TooManyExpertsException : CalibrationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names layer, experts and tokens.</param>
    /// <param name="layer">Module paths of the input group.</param>
    /// <param name="experts">Experts that were asked for.</param>
    /// <param name="tokens">Calibration tokens that were seen.</param>
    public TooManyExpertsException(string message, string layer, int experts, long tokens) : base(message)
    {
        (Experts, Tokens) = (experts, tokens);
        Layer = layer;
    }

    /// <summary>Experts that were asked for.</summary>
    public int Experts { get; }

    /// <summary>Calibration tokens that were seen.</summary>
    public long Tokens { get; }
}
