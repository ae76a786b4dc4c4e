using System.Text;
using Microsoft.ML.Tokenizers;

namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>
/// Byte-pair encoding of one piece of text. <see cref="BpeTokenizer"/> merges; this class adds what it lacks: byte
/// fallback, words that are tokens although no merges lead to them, and texts of any length. For the last one a piece
/// is cut between characters that are neighbors in no merged token: no token can span the cut, so the result is the
/// same, and the merging, whose time grows with the square of the length, sees short strings only.
/// </summary>
internal sealed class BpeModel : IPieceModel
{
    private readonly Dictionary<string, int> _vocabulary;
    private readonly PieceCuts _cuts = new();
    private readonly BpeTokenizer _merger;
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;
    private readonly bool _wholeWords;
    private readonly int[]? _bytes;

    /// <param name="vocabulary">Ids by token.</param>
    /// <param name="merges">Pairs of tokens, best first.</param>
    /// <param name="unknown">The token of characters outside of the vocabulary; null drops them.</param>
    /// <param name="fuseUnknown">True gives one unknown token for a run of such characters.</param>
    /// <param name="byteFallback">True spells them by the tokens &lt;0x00&gt; … &lt;0xFF&gt; where the vocabulary has
    /// all that are needed.</param>
    /// <param name="wholeWords">True takes a piece that is a token as that token, whatever the merges say.</param>
    public BpeModel(
        Dictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges,
        string? unknown, bool fuseUnknown, bool byteFallback, bool wholeWords)
    {
        _vocabulary = vocabulary;
        _fuseUnknown = fuseUnknown;
        _wholeWords = wholeWords;
        _unknown = unknown is null ? null : vocabulary[unknown];
        _bytes = byteFallback ? ByteTokens.Find(vocabulary) : null;
        foreach ((string left, string right) in merges)
        {
            _cuts.Forbid(left + right);
        }

        // The library parts a merge at its blank, so blanks inside of tokens go under another name.
        _merger = BpeTokenizer.Create(
            new BpeOptions(vocabulary.Select(item => KeyValuePair.Create(BlankName.Hide(item.Key), item.Value)))
            {
                Merges = merges.Select(merge => $"{BlankName.Hide(merge.Left)} {BlankName.Hide(merge.Right)}"),
            });
    }

    /// <summary>Appends the ids of a piece.</summary>
    public void Encode(string piece, List<int> ids)
    {
        if (_wholeWords && _vocabulary.TryGetValue(piece, out int whole))
        {
            ids.Add(whole);
            return;
        }

        bool afterUnknown = false;
        for (int start = 0; start < piece.Length;)
        {
            int end = _cuts.Next(piece, start);
            ReadOnlySpan<char> run = piece.AsSpan(start, end - start);
            afterUnknown = EncodeRun(run, ids, afterUnknown);
            start = end;
        }
    }

    /// <summary>Encodes characters between two cuts; true if they ended as an unknown token.</summary>
    private bool EncodeRun(ReadOnlySpan<char> run, List<int> ids, bool afterUnknown)
    {
        bool single = run.Length == 1 || (run.Length == 2 && char.IsSurrogatePair(run[0], run[1]));
        if (!single)
        {
            ids.AddRange(_merger.EncodeToIds(BlankName.Hide(run.ToString()), considerPreTokenization: false, considerNormalization: false));
            return false;
        }

        if (_vocabulary.TryGetValue(run.ToString(), out int id))
        {
            ids.Add(id);
            return false;
        }

        return EncodeUnknown(run, ids, afterUnknown);
    }

    private bool EncodeUnknown(ReadOnlySpan<char> character, List<int> ids, bool afterUnknown)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(character.ToArray());
        if (_bytes is not null && utf8.All(value => _bytes[value] >= 0))
        {
            ids.AddRange(utf8.Select(value => _bytes[value]));
            return false;
        }

        if (_unknown is { } unknown && !(_fuseUnknown && afterUnknown))
        {
            ids.Add(unknown);
        }

        return true;
    }
}
