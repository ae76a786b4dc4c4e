using System.Text;

namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>Places to cut a piece without changing its tokens: between characters that are neighbors in none.</summary>
internal sealed class PieceCuts
{
    private readonly HashSet<(Rune Left, Rune Right)> _neighbors = [];

    /// <summary>Forbids cuts between the characters of a token.</summary>
    public void Forbid(string token)
    {
        Rune? left = null;
        foreach (Rune right in token.EnumerateRunes())
        {
            if (left is { } before)
            {
                _neighbors.Add((before, right));
            }

            left = right;
        }
    }

    /// <summary>Position of the first cut after <paramref name="start"/>.</summary>
    public int Next(string piece, int start)
    {
        Rune.DecodeFromUtf16(piece.AsSpan(start), out Rune left, out int length);
        int at = start + length;
        while (at < piece.Length)
        {
            Rune.DecodeFromUtf16(piece.AsSpan(at), out Rune right, out length);
            if (!_neighbors.Contains((left, right)))
            {
                break;
            }

            left = right;
            at += length;
        }

        return at;
    }
}
