namespace SparseExpansion;

/// <summary>
/// Calibration data cannot serve a layer: no tokens, wrong shapes,
/// non-finite activations, too few tokens for the experts.
/// </summary>
public class CalibrationException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    public CalibrationException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public CalibrationException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>
    /// Module path of the layer, or paths of the input group, that the message names; null where it names none. An
    /// expansion puts the layer in front of messages that name none, those of routers and pruners of your own too.
    /// </summary>
    public string? Layer { get; init; }
}
