namespace SparseExpansion.Models;

/// <summary>Reason for the end of a text.</summary>
public enum FinishReason
{
    /// <summary>The model gave a token that ends the text.</summary>
    EndToken,

    /// <summary>A stop string came.</summary>
    StopString,

    /// <summary>The requested number of tokens was reached.</summary>
    Length,
}
