namespace SparseExpansion;

/// <summary>A file of a checkpoint is missing, malformed or does not fit the model.</summary>
public sealed class CheckpointException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    public CheckpointException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public CheckpointException(string message, Exception innerException) : base(message, innerException) { }
}
