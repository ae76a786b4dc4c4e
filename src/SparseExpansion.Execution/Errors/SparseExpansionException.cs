namespace SparseExpansion;

/// <summary>
/// Something is wrong with a model, its data or its numerics. Wrong arguments of a single call are reported as
/// <see cref="ArgumentException"/> instead. Messages name the layer, file or option and say what to do.
/// </summary>
public class SparseExpansionException : Exception
{
    /// <summary>Creates the exception with a message that names the layer, file or option.</summary>
    public SparseExpansionException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public SparseExpansionException(string message, Exception innerException) : base(message, innerException) { }
}
