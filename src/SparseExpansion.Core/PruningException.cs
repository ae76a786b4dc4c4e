namespace SparseExpansion;

/// <summary>
/// A weight cannot be pruned as asked: non-finite values, indivisible columns, a statistic of the wrong kind or size.
/// </summary>
public class PruningException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    public PruningException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public PruningException(string message, Exception innerException) : base(message, innerException) { }
}
