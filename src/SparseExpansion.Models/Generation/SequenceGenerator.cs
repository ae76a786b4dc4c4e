using System.Text;

namespace SparseExpansion.Models.Generation;

/// <summary>Continues texts with a model. The public generators say what the methods do.</summary>
/// <param name="source">The model.</param>
internal sealed class SequenceGenerator(ISequenceSource source)
{
    /// <summary>Continues a prompt.</summary>
    public IEnumerable<GeneratedToken> GenerateTokens(
        IReadOnlyList<int> prompt, GenerationOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        GenerationRequest request = GenerationRequest.Create(source, [prompt], options);
        return TokenLoop.Run(request, [prompt], _ => false, cancellationToken)
            .Select(step => step.Token).OfType<GeneratedToken>();
    }

    /// <summary>Continues several prompts together.</summary>
    public IReadOnlyList<GeneratedSequence> GenerateBatch(
        IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        GenerationRequest request = GenerationRequest.Create(source, prompts, options);
        List<GeneratedToken>[] tokens = [.. prompts.Select(_ => new List<GeneratedToken>())];
        bool[] hasEnded = new bool[prompts.Count];
        foreach ((int sequence, GeneratedToken? token) in TokenLoop.Run(request, prompts, _ => false, cancellationToken))
        {
            hasEnded[sequence] = token is null;
            if (token is not null)
            {
                tokens[sequence].Add(token);
            }
        }

        return [.. tokens.Select((list, index) =>
            new GeneratedSequence(list, hasEnded[index] ? FinishReason.EndToken : FinishReason.Length))];
    }

    /// <summary>Continues a text.</summary>
    public IEnumerable<string> GenerateText(
        TextTokenizer tokenizer, string prompt, GenerationOptions? options, CancellationToken cancellationToken) =>
        TextRun.Create(source, tokenizer, prompt, options).Pieces(cancellationToken);

    /// <summary>Continues several texts together.</summary>
    public IReadOnlyList<GeneratedText> GenerateTexts(
        TextTokenizer tokenizer, IReadOnlyList<string> prompts, GenerationOptions? options,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompts);
        IReadOnlyList<int>[] ids = [.. prompts.Select(prompt => (IReadOnlyList<int>)[.. tokenizer.Encode(prompt)])];
        GenerationRequest request = GenerationRequest.Create(source, ids, options, tokenizer);
        TextContinuation[] texts = [.. ids.Select(prompt => new TextContinuation(tokenizer, prompt, request.Options))];
        StringBuilder[] written = [.. prompts.Select(_ => new StringBuilder())];
        foreach ((int sequence, GeneratedToken? token) in TokenLoop.Run(request, ids, sequence => texts[sequence].IsStopped, cancellationToken))
        {
            written[sequence].Append(token is null ? "" : texts[sequence].Take(token));
        }

        return [.. texts.Select((text, index) =>
            new GeneratedText(written[index].Append(text.Rest()).ToString(), text.PromptTokens, text.Tokens, text.Finish!.Value))];
    }

    /// <summary>Continues a text on threads of the pool, a piece at a time, while the next one is awaited.</summary>
    public IAsyncEnumerable<string> StreamAsync(
        TextTokenizer tokenizer, string prompt, GenerationOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompt);
        options?.Validate();
        return BackgroundSequence.Run(token => GenerateText(tokenizer, prompt, options, token), cancellationToken);
    }
}
