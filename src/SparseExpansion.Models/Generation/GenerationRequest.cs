namespace SparseExpansion.Models.Generation;

/// <summary>Arguments of a generation, checked, and what follows from them.</summary>
internal sealed class GenerationRequest
{
    private readonly IReadOnlyList<int> _ends;
    private readonly int[] _excluded;

    private GenerationRequest(ISequenceSource source, GenerationOptions options, IReadOnlyList<int> ends, int[] excluded) =>
        (Source, Options, _ends, _excluded) = (source, options, ends, excluded);

    /// <summary>Gives the logits.</summary>
    public ISequenceSource Source { get; }

    /// <summary>Sampling and length.</summary>
    public GenerationOptions Options { get; }

    /// <summary>Checks arguments.</summary>
    /// <param name="source">Gives the logits.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="options">Sampling and length; null means the defaults.</param>
    /// <param name="tokenizer">Null: ids alone. Else ids that it does not know are never taken, and its end token ends
    /// the text.</param>
    /// <exception cref="ArgumentException">A prompt is empty, has ids outside of the vocabulary, or leaves no room for
    /// the new tokens in the model's context; or an option is out of range.</exception>
    public static GenerationRequest Create(
        ISequenceSource source, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions? options,
        TextTokenizer? tokenizer = null)
    {
        options ??= new GenerationOptions();
        options.Validate();
        if (tokenizer is null && options.StopStrings.Count > 0)
        {
            throw new ArgumentException(
                $"{nameof(options.StopStrings)} need text: call {nameof(SequenceGenerator.GenerateText)}, or leave them out.",
                nameof(options));
        }

        int vocabulary = source.Config.VocabularySize;
        if (options.LogitBias.Keys.Where(id => id >= vocabulary).Order().ToArray() is [int outside, ..])
        {
            throw new ArgumentException(
                $"{nameof(options.LogitBias)} has the id {outside}, which is outside of the vocabulary of {vocabulary}.",
                nameof(options));
        }

        for (int i = 0; i < prompts.Count; i++)
        {
            RequireFit(source.Config, prompts[i], prompts.Count == 1 ? "The prompt" : $"Prompt {i}, counted from 0,", options);
        }

        IReadOnlyList<int> ends = options.EosIds ?? [.. source.Config.EosIds.Union(tokenizer?.EosId is { } end ? [end] : [])];
        int[] excluded = tokenizer is null
            ? []
            : [.. Enumerable.Range(0, vocabulary).Where(id => !tokenizer.IsToken(id) && !ends.Contains(id))];
        return new GenerationRequest(source, options, ends, excluded);
    }

    /// <summary>The sampler of a sequence.</summary>
    /// <param name="prompt">Its prompt.</param>
    /// <param name="number">Its number in the batch.</param>
    public SequenceSampler Sampler(IReadOnlyList<int> prompt, int number) =>
        new(Options, _ends, _excluded, prompt, number);

    private static void RequireFit(ModelConfig config, IReadOnlyList<int> prompt, string which, GenerationOptions options)
    {
        if (prompt is null)
        {
            throw new ArgumentNullException(nameof(prompt), $"{which} is null.");
        }

        if (prompt.Count == 0)
        {
            throw new ArgumentException($"{which} has no tokens.", nameof(prompt));
        }

        if (prompt.Any(id => id < 0 || id >= config.VocabularySize))
        {
            throw new ArgumentException(
                $"{which} has ids outside of the vocabulary of {config.VocabularySize}.", nameof(prompt));
        }

        if (options.Overflow == ContextOverflow.Error && (long)prompt.Count + options.MaxNewTokens > config.MaxPositions)
        {
            throw new ArgumentException(
                $"{which} has {prompt.Count} tokens, which exceed the model's context of {config.MaxPositions} with {options.MaxNewTokens} new ones; shorten the prompt, lower {nameof(options.MaxNewTokens)}, or set {nameof(options.Overflow)} to {nameof(ContextOverflow.Slide)}.",
                nameof(prompt));
        }
    }
}
