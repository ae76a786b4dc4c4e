using System.Runtime.InteropServices;
using SparseExpansion.Models;
using SparseExpansion.Models.Generation;
using SparseExpansion.Transformers.Generation;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Continues texts token by token, with a key-value cache.</summary>
public static class TextGenerator
{
    /// <summary>Continues a prompt. Tokens are computed as they are asked for.</summary>
    /// <param name="model">The model, in any state of expansion.</param>
    /// <param name="prompt">Token ids, at least one; start tokens included.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>New token ids up to, not including, one that ends the text.</returns>
    /// <exception cref="ArgumentException"> The prompt is empty, has ids outside of the vocabulary, or leaves no room
    /// for the new tokens in the model's context; or there are stop strings.
    /// </exception>
    public static IEnumerable<int> Generate(
        CausalLanguageModel model, IReadOnlyList<int> prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        options.Validate();
        if (options.StopStrings.Count > 0)
        {
            throw new ArgumentException(
                $"{nameof(options.StopStrings)} need text: call {nameof(GenerateText)}, or leave them out.",
                nameof(options));
        }

        RequireFit(model.Config, prompt, options);
        return Continue(model, prompt, options, _ => true, cancellationToken);
    }

    /// <summary>
    /// Continues a text. Ids that the tokenizer does not know, such as those that pad a vocabulary, are never taken.
    /// </summary>
    /// <param name="model">The model, in any state of expansion.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompt">The text; the tokenizer adds its start token.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>Pieces of new text; characters that span several tokens come when they are complete, and what may begin
    /// a stop string when it does not.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Generate"/>, stop strings apart.</exception>
    public static IEnumerable<string> GenerateText(
        CausalLanguageModel model, TextTokenizer tokenizer, string prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        return ContinueText(model, tokenizer, prompt, options).Pieces(cancellationToken);
    }

    /// <summary>
    /// Continues a text for a caller that must not block, such as a user interface or a server: the model runs on
    /// threads of the pool, a piece at a time, and only while the next one is awaited.
    /// </summary>
    /// <param name="model">The model, in any state of expansion; neither changed nor disposed before the stream has
    /// ended.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompt">The text; the tokenizer adds its start token.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>The pieces of <see cref="GenerateText"/>. Stopping early leaves nothing running and no tensors
    /// behind.</returns>
    /// <exception cref="ArgumentNullException">The model, the tokenizer or the prompt is null.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <remarks>
    /// Exceptions of <see cref="GenerateText"/> about the prompt, and those of the model, are thrown when a piece is
    /// awaited.
    /// </remarks>
    public static IAsyncEnumerable<string> StreamAsync(
        CausalLanguageModel model, TextTokenizer tokenizer, string prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompt);
        options?.Validate();
        return BackgroundSequence.Run(
            token => GenerateText(model, tokenizer, prompt, options, token), cancellationToken);
    }

    /// <summary>Continues a text like <see cref="GenerateText"/> and also tells how it ended.</summary>
    internal static TextContinuation ContinueText(
        CausalLanguageModel model, TextTokenizer tokenizer, string prompt, GenerationOptions? options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        int[] ids = [.. tokenizer.Encode(prompt)];
        options ??= new GenerationOptions();
        options.Validate();
        RequireFit(model.Config, ids, options);
        options = options with { EosIds = options.EosIds ?? [.. model.Config.EosIds.Union(Optional(tokenizer.EosId))] };
        return new TextContinuation(model, tokenizer, ids, options);
    }

    private static IEnumerable<int> Optional(int? id) => id is { } value ? [value] : [];

    /// <summary>Generates the tokens once the arguments are checked.</summary>
    internal static IEnumerable<int> Continue(
        CausalLanguageModel model, IReadOnlyList<int> prompt, GenerationOptions options, Func<int, bool> isToken,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<int> eos = options.EosIds ?? model.Config.EosIds;
        int[] excluded =
            [.. Enumerable.Range(0, model.Config.VocabularySize).Where(id => !isToken(id) && !eos.Contains(id))];
        HashSet<int> seen = [.. prompt];
        var random = new Random(options.Seed);
        using KeyValueCache cache = model.CreateCache();
        long[] input = [.. prompt.Select(id => (long)id)];
        for (int count = 0; count < options.MaxNewTokens; count++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            float[] logits = LastLogits(model, cache, input);
            TokenSampler.Penalize(logits, seen, options.RepetitionPenalty);
            Array.ForEach(excluded, id => logits[id] = float.NegativeInfinity);
            int next = TokenSampler.Sample(logits, options, random.NextDouble());
            if (eos.Contains(next))
            {
                yield break;
            }

            yield return next;
            seen.Add(next);
            input = [next];
        }
    }

    /// <summary>Scopes belong to a thread, so none is open while a caller works on a token.</summary>
    private static float[] LastLogits(CausalLanguageModel model, KeyValueCache cache, long[] input)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor logits = model.forward(tensor(input, [1, input.Length], dtype: int64, device: model.Device), cache);
        Tensor last = logits.narrow(1, input.Length - 1, 1).contiguous().cpu();
        return MemoryMarshal.Cast<byte, float>(last.bytes).ToArray();
    }

    private static void RequireFit(ModelConfig config, IReadOnlyList<int> prompt, GenerationOptions options)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException("The prompt has no tokens.", nameof(prompt));
        }

        if (prompt.Any(id => id < 0 || id >= config.VocabularySize))
        {
            throw new ArgumentException(
                $"The prompt has ids outside of the vocabulary of {config.VocabularySize}.", nameof(prompt));
        }

        if ((long)prompt.Count + options.MaxNewTokens > config.MaxPositions)
        {
            throw new ArgumentException(
                $"A prompt of {prompt.Count} tokens and {options.MaxNewTokens} new ones exceed the model's context of {config.MaxPositions}; shorten the prompt or lower {nameof(options.MaxNewTokens)}.",
                nameof(prompt));
        }
    }
}
