using System.Diagnostics;

namespace SparseExpansion.Models.Generation;

/// <summary>The continuation of one prompt, a piece at a time, with the time that it takes.</summary>
internal sealed class TextRun(GenerationRequest request, TextTokenizer tokenizer, IReadOnlyList<int> prompt)
{
    private readonly Stopwatch _reading = new();
    private readonly Stopwatch _writing = new();
    private TextContinuation _text = new(tokenizer, prompt, request.Options);

    /// <summary>Tokens of the prompt, start tokens included.</summary>
    public int PromptTokens => prompt.Count;

    /// <summary>Tokens that have been generated so far, those of a stop string included.</summary>
    public int NewTokens => _text.Tokens.Count;

    /// <summary>Reason for the end of the text; null before it has ended.</summary>
    public FinishReason? Finish => _text.Finish;

    /// <summary>Tokens of the prompt per second, up to the first new token; 0 before it.</summary>
    public double PrefillRate => Rate(PromptTokens, _reading);

    /// <summary>New tokens per second, from the second on; 0 before it.</summary>
    public double DecodeRate => Rate(NewTokens - 1, _writing);

    /// <summary>Prepares a run.</summary>
    /// <exception cref="ArgumentException">As for <see cref="SequenceGenerator.GenerateText"/>.</exception>
    public static TextRun Create(ISequenceSource source, TextTokenizer tokenizer, string prompt, GenerationOptions? options)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompt);
        IReadOnlyList<int> ids = [.. tokenizer.Encode(prompt)];
        return new TextRun(GenerationRequest.Create(source, [ids], options, tokenizer), tokenizer, ids);
    }

    /// <summary>The new text as it comes. Who enumerates it again begins anew.</summary>
    /// <param name="cancellationToken">Looked at before each token.</param>
    public IEnumerable<string> Pieces(CancellationToken cancellationToken)
    {
        var text = new TextContinuation(tokenizer, prompt, request.Options);
        _text = text;
        _reading.Reset();
        _writing.Reset();
        using IEnumerator<(int, GeneratedToken? Token)> tokens =
            TokenLoop.Run(request, [prompt], _ => text.IsStopped, cancellationToken).GetEnumerator();
        while (Advance(tokens))
        {
            string piece = tokens.Current.Token is { } token ? text.Take(token) : "";
            if (piece.Length > 0)
            {
                yield return piece;
            }
        }

        string rest = text.Rest();
        if (rest.Length > 0)
        {
            yield return rest;
        }
    }

    private static double Rate(int tokens, Stopwatch watch) =>
        watch.Elapsed > TimeSpan.Zero ? Math.Max(0, tokens) / watch.Elapsed.TotalSeconds : 0;

    private bool Advance(IEnumerator<(int, GeneratedToken?)> tokens)
    {
        Stopwatch watch = NewTokens == 0 ? _reading : _writing;
        watch.Start();
        bool goesOn = tokens.MoveNext();
        watch.Stop();
        return goesOn;
    }
}
