namespace SparseExpansion.Models.Generation;

/// <summary>Turns tokens into pieces of text; bytes of a character that is not complete wait for the others.</summary>
internal sealed class TextPieces
{
    private const char Undecodable = '\uFFFD';

    private readonly TextTokenizer _tokenizer;
    private readonly List<int> _ids;
    private string _text;
    private int _shown;

    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="prompt">The text before the first piece: how tokens read may depend on it.</param>
    public TextPieces(TextTokenizer tokenizer, IEnumerable<int> prompt)
    {
        (_tokenizer, _ids) = (tokenizer, [.. prompt]);
        _text = Decode();
        _shown = _text.Length;
    }

    /// <summary>Adds a token.</summary>
    /// <returns>The text that is complete now and was not before.</returns>
    public string Add(int id)
    {
        _ids.Add(id);
        _text = Decode();
        return ShowUpTo(_text.TrimEnd(Undecodable).Length);
    }

    /// <summary>Text that remains after the last token: characters that stay incomplete.</summary>
    public string Rest() => ShowUpTo(_text.Length);

    private string ShowUpTo(int end)
    {
        int start = Math.Min(_shown, end);
        _shown = Math.Max(_shown, end);
        return _text[start..end];
    }

    private string Decode() => _tokenizer.Decode(_ids, skipSpecialTokens: true);
}
