namespace SparseExpansion.Calibration.Capture;

/// <summary>Ends a forward pass once all that was wanted of it has been seen. Never leaves the library.</summary>
internal sealed class StopForwardException : Exception;
