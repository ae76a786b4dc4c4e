namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>Purpose of a piece, by the numbers of the file.</summary>
internal enum SentencePieceType
{
    /// <summary>Text.</summary>
    Normal = 1,

    /// <summary>Stands for characters without a piece.</summary>
    Unknown = 2,

    /// <summary>A token that is no text.</summary>
    Control = 3,

    /// <summary>Text that is a token wherever it occurs.</summary>
    UserDefined = 4,

    /// <summary>A step of merges that is parted again.</summary>
    Unused = 5,

    /// <summary>One byte.</summary>
    Byte = 6,
}
