using System.Text;

namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>
/// Byte-pair encoding as SentencePiece does it: of all neighbors whose union is a piece, those with the highest score
/// are joined, the leftmost first where scores are equal, until no union is a piece.
/// </summary>
internal sealed class PieceMerger : IPieceModel
{
    private readonly SentencePieceFile _file;
    private readonly Dictionary<string, int> _pieces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly ILookup<char, string> _fixed;
    private readonly int _longest;
    private readonly bool _hasUnused;
    private readonly int[]? _bytes;

    /// <param name="file">The model.</param>
    /// <param name="vocabulary">Ids by the text of all its pieces.</param>
    public PieceMerger(SentencePieceFile file, IReadOnlyDictionary<string, int> vocabulary)
    {
        _file = file;
        foreach (SentencePiece piece in file.Pieces.Where(piece => piece.Type is SentencePieceType.Normal or SentencePieceType.UserDefined or SentencePieceType.Unused))
        {
            _pieces.Add(piece.Text, vocabulary[piece.Text]);
        }

        _lookup = _pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        _longest = _pieces.Keys.Select(text => text.Length).DefaultIfEmpty().Max();
        _hasUnused = file.Pieces.Any(piece => piece.Type == SentencePieceType.Unused);
        _bytes = file.ByteFallback ? ByteTokens.Find(vocabulary) : null;
        _fixed = file.Pieces.Where(piece => piece.Type == SentencePieceType.UserDefined)
            .OrderByDescending(piece => piece.Text.Length)
            .ToLookup(piece => piece.Text[0], piece => piece.Text);
    }

    /// <inheritdoc/>
    public void Encode(string piece, List<int> ids)
    {
        var symbols = new MergedSymbols(piece);
        for (int at = 0; at < piece.Length;)
        {
            string? whole = _fixed.Count == 0 ? null : FindFixed(piece, at);
            int length = whole?.Length ?? (char.IsSurrogatePair(piece, at) ? 2 : 1);
            symbols.Add(at, length, isFixed: whole is not null);
            at += length;
        }

        Dictionary<string, int>? parts = _hasUnused ? new(StringComparer.Ordinal) : null;
        Merge(symbols, parts);
        bool afterUnknown = false;
        foreach ((int start, int length) in symbols.Remaining())
        {
            afterUnknown = Emit(piece.AsSpan(start, length), parts, ids, afterUnknown);
        }
    }

    private string? FindFixed(string piece, int at) =>
        _fixed[piece[at]].FirstOrDefault(text => string.CompareOrdinal(piece, at, text, 0, text.Length) == 0);

    /// <summary>
    /// Rises as the score falls, and with the place where scores are equal. Bits of floats rise with the number, for
    /// negative ones against it.
    /// </summary>
    private static ulong Rank(float score, int left)
    {
        int bits = BitConverter.SingleToInt32Bits(score + 0f); // No negative zero.
        uint rising = bits < 0 ? (uint)~bits : (uint)bits | 0x8000_0000;
        return ((ulong)~rising << 32) | (uint)left;
    }

    private void Merge(MergedSymbols symbols, Dictionary<string, int>? parts)
    {
        var queue = new PriorityQueue<(int Left, int Length), ulong>();
        for (int left = 0; left < symbols.Count; left++)
        {
            Offer(left);
        }

        while (queue.TryDequeue(out (int Left, int Length) pair, out _))
        {
            // An entry is stale if a part of it has been joined to something else since.
            if (symbols.PairLength(pair.Left) != pair.Length)
            {
                continue;
            }

            symbols.Join(pair.Left);
            Offer(pair.Left);
            if (symbols.Before(pair.Left) is { } before)
            {
                Offer(before);
            }
        }

        void Offer(int left)
        {
            ReadOnlySpan<char> union = symbols.PairText(left);
            if (!union.IsEmpty && union.Length <= _longest && _lookup.TryGetValue(union, out int id))
            {
                queue.Enqueue((left, union.Length), Rank(_file.Pieces[id].Score, left));
                if (parts is not null && _file.Pieces[id].Type == SentencePieceType.Unused)
                {
                    parts[union.ToString()] = symbols.Length(left);
                }
            }
        }
    }

    /// <summary>Appends the ids of a symbol; true if it ended as an unknown token.</summary>
    private bool Emit(ReadOnlySpan<char> symbol, Dictionary<string, int>? parts, List<int> ids, bool afterUnknown)
    {
        if (!_lookup.TryGetValue(symbol, out int id))
        {
            return EmitUnknown(symbol, ids, afterUnknown);
        }

        if (parts is not null
            && _file.Pieces[id].Type == SentencePieceType.Unused
            && parts.TryGetValue(symbol.ToString(), out int left))
        {
            return Emit(symbol[left..], parts, ids, Emit(symbol[..left], parts, ids, afterUnknown));
        }

        ids.Add(id);
        return false;
    }

    private bool EmitUnknown(ReadOnlySpan<char> character, List<int> ids, bool afterUnknown)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(character.ToArray());
        if (_bytes is not null && utf8.All(value => _bytes[value] >= 0))
        {
            ids.AddRange(utf8.Select(value => _bytes[value]));
            return false;
        }

        if (!afterUnknown)
        {
            ids.Add(_file.UnknownId);
        }

        return true;
    }
}
