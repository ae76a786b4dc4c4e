namespace SparseExpansion.Models.Generation;

/// <summary>Why a text ends.</summary>
internal enum FinishReason
{
    /// <summary>The model gave a token that ends the text.</summary>
    EndToken,

    /// <summary>A stop string came.</summary>
    StopString,

    /// <summary>As many tokens as were asked for.</summary>
    Length,
}
