namespace SparseExpansion;

/// <summary>Calibration data cannot serve a layer: no tokens, wrong shapes, non-finite activations, too few tokens for the experts.</summary>
public sealed class CalibrationException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    public CalibrationException(string message) : base(message) { }

    /// <summary>Creates the exception with the error behind it.</summary>
    public CalibrationException(string message, Exception innerException) : base(message, innerException) { }
}
