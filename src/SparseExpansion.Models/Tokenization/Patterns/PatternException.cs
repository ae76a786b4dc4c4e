namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// A pattern is malformed or asks for something unsupported. The readers make an error of it that names file and key.
/// </summary>
internal sealed class PatternException(string message) : Exception(message);
