using SparseExpansion.Models.Tokenization.AddedTokens;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>
/// The way from text to ids: added tokens, normalizer, added tokens again, pre-tokenizer, merges; and the decoder back.
/// </summary>
internal sealed class TextCodec
{
    private readonly IPieceModel _model;
    private readonly AddedTokenFinder _raw;
    private readonly AddedTokenFinder _normalized;
    private readonly Func<string, string> _normalizer;
    private readonly PreTokenizer _preTokenizer;
    private readonly TokenDecoder _decoder;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<int, string> _tokens = [];
    private readonly HashSet<int> _special;

    public TextCodec(
        IPieceModel model, IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<AddedToken> added,
        Func<string, string> normalizer, PreTokenizer preTokenizer, TokenDecoder decoder)
    {
        (_model, _normalizer, _preTokenizer, _decoder) = (model, normalizer, preTokenizer, decoder);
        _raw = new AddedTokenFinder(added.Where(token => !token.Normalized), content => content);
        _normalized = new AddedTokenFinder(added.Where(token => token.Normalized), normalizer);
        _special = [.. added.Where(token => token.Special).Select(token => token.Id)];
        _ids = new Dictionary<string, int>(vocabulary, StringComparer.Ordinal);
        foreach (AddedToken token in added)
        {
            _ids[token.Content] = token.Id;
        }

        foreach ((string content, int id) in _ids)
        {
            _tokens[id] = content;
        }

        VocabularySize = _tokens.Count == 0 ? 0 : _tokens.Keys.Max() + 1;
    }

    /// <summary>The largest id plus one.</summary>
    public int VocabularySize { get; }

    /// <summary>The id of a token's content, or null.</summary>
    public int? FindId(string? content) => content is not null && _ids.TryGetValue(content, out int id) ? id : null;

    /// <summary>True if a token has this id.</summary>
    public bool IsToken(int id) => _tokens.ContainsKey(id);

    /// <summary>Appends the ids of a text.</summary>
    public void Encode(string text, List<int> ids)
    {
        bool first = true;
        foreach ((string outer, AddedToken? rawToken) in _raw.Cut(text))
        {
            if (rawToken is not null)
            {
                ids.Add(rawToken.Id);
                first = false;
                continue;
            }

            foreach ((string inner, AddedToken? token) in _normalized.Cut(_normalizer(outer)))
            {
                if (token is not null)
                {
                    ids.Add(token.Id);
                }
                else
                {
                    EncodeText(inner, first, ids);
                }

                first = false;
            }
        }
    }

    /// <summary>The text of ids.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>();
        foreach (int id in ids)
        {
            if (!_tokens.TryGetValue(id, out string? token))
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, "Not an id of the vocabulary.");
            }

            if (!(skipSpecialTokens && _special.Contains(id)))
            {
                tokens.Add(token);
            }
        }

        return string.Concat(_decoder(tokens));
    }

    private void EncodeText(string text, bool first, List<int> ids)
    {
        foreach (string piece in _preTokenizer(text, first))
        {
            _model.Encode(piece, ids);
        }
    }
}
