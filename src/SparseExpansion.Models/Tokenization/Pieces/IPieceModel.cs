namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>From a piece of normalized text to ids.</summary>
internal interface IPieceModel
{
    /// <summary>Appends the ids of a piece.</summary>
    void Encode(string piece, List<int> ids);
}
