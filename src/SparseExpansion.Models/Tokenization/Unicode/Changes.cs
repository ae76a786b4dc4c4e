namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>Normalization forms that a character is not sure to outlive.</summary>
[Flags]
internal enum Changes : byte
{
    None = 0,

    /// <summary>NFC.</summary>
    Composed = 1,

    /// <summary>NFD.</summary>
    Decomposed = 2,

    /// <summary>NFKC.</summary>
    CompatiblyComposed = 4,

    /// <summary>NFKD.</summary>
    CompatiblyDecomposed = 8,
}
