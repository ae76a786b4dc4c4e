namespace SparseExpansion.Models.Generation;

/// <summary>The text of one sequence: takes its tokens, gives pieces, and knows how it ended.</summary>
internal sealed class TextContinuation(TextTokenizer tokenizer, IReadOnlyList<int> prompt, GenerationOptions options)
{
    private readonly TextPieces _pieces = new(tokenizer, prompt);
    private readonly StopScanner _scanner = new(options.StopStrings);
    private readonly List<GeneratedToken> _tokens = [];

    /// <summary>Tokens of the prompt, start tokens included.</summary>
    public int PromptTokens => prompt.Count;

    /// <summary>Tokens that have been generated so far, those of a stop string included.</summary>
    public IReadOnlyList<GeneratedToken> Tokens => _tokens;

    /// <summary>True once a stop string has come.</summary>
    public bool IsStopped => _scanner.Stopped;

    /// <summary>Reason for the end of the text; null before <see cref="Rest"/>.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>Takes a token.</summary>
    /// <returns>Text that is certain now; may be empty.</returns>
    public string Take(GeneratedToken token)
    {
        _tokens.Add(token);
        return _scanner.Take(_pieces.Add(token.Id));
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back; may be empty.</returns>
    public string Rest()
    {
        string rest = IsStopped ? "" : _scanner.Take(_pieces.Rest()) + (IsStopped ? "" : _scanner.Rest());
        Finish = IsStopped ? FinishReason.StopString
            : _tokens.Count == options.MaxNewTokens ? FinishReason.Length
            : FinishReason.EndToken;
        return rest;
    }
}
