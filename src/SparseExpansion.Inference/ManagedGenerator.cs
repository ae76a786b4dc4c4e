using SparseExpansion.Inference.Generation;
using SparseExpansion.Models;
using SparseExpansion.Models.Generation;

namespace SparseExpansion.Inference;

/// <summary>Continues texts token by token, with a paged cache of keys and values.</summary>
public static class ManagedGenerator
{
    /// <summary>Continues a prompt. Tokens are computed as they are asked for.</summary>
    /// <param name="model">The model; not disposed before the last token.</param>
    /// <param name="prompt">Token ids, at least one; start tokens included.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>New token ids up to, not including, one that ends the text.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, has ids outside of the vocabulary, or leaves no room
    /// for the new tokens in the model's context; or there are stop strings.</exception>
    /// <exception cref="SparseExpansionException">The model's cache is full, or a logit is not a number.</exception>
    public static IEnumerable<int> Generate(
        InferenceModel model, IReadOnlyList<int> prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default) =>
        GenerateTokens(model, prompt, options, cancellationToken).Select(token => token.Id);

    /// <summary>Continues a prompt and tells how probable the model finds each token.</summary>
    /// <param name="model">The model; not disposed before the last token.</param>
    /// <param name="prompt">Token ids, at least one; start tokens included.</param>
    /// <param name="options">Sampling, length, and <see cref="GenerationOptions.TopLogProbabilities"/>; null means
    /// greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>New tokens up to, not including, one that ends the text.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Generate"/>.</exception>
    /// <exception cref="SparseExpansionException">As for <see cref="Generate"/>.</exception>
    public static IEnumerable<GeneratedToken> GenerateTokens(
        InferenceModel model, IReadOnlyList<int> prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Of(model).GenerateTokens(prompt, options, cancellationToken);

    /// <summary>
    /// Continues several prompts together, which takes far less time than one after the other. Every prompt gets the
    /// tokens that it gets alone, up to rounding.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="prompts">Token ids of each prompt, at least one; start tokens included.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    /// <returns>New tokens for each prompt, in order.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Generate"/>.</exception>
    /// <exception cref="SparseExpansionException">As for <see cref="Generate"/>.</exception>
    public static IReadOnlyList<GeneratedSequence> GenerateBatch(
        InferenceModel model, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Of(model).GenerateBatch(prompts, options, cancellationToken);

    /// <summary>
    /// Continues a text. Ids that the tokenizer does not know, such as those that pad a vocabulary, are never taken.
    /// </summary>
    /// <param name="model">The model; not disposed before the last piece.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompt">The text; the tokenizer adds its start token.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>Pieces of new text; characters that span several tokens come when they are complete, and what may begin
    /// a stop string when it does not.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Generate"/>, stop strings apart.</exception>
    /// <exception cref="SparseExpansionException">As for <see cref="Generate"/>.</exception>
    public static IEnumerable<string> GenerateText(
        InferenceModel model, TextTokenizer tokenizer, string prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Of(model).GenerateText(tokenizer, prompt, options, cancellationToken);

    /// <summary>Continues several texts together, see <see cref="GenerateBatch"/>.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompts">The texts; the tokenizer adds its start token to each.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    /// <returns>New text for each prompt, in order.</returns>
    /// <exception cref="ArgumentException">As for <see cref="GenerateText"/>.</exception>
    /// <exception cref="SparseExpansionException">As for <see cref="Generate"/>.</exception>
    public static IReadOnlyList<GeneratedText> GenerateTexts(
        InferenceModel model, TextTokenizer tokenizer, IReadOnlyList<string> prompts,
        GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Of(model).GenerateTexts(tokenizer, prompts, options, cancellationToken);

    /// <summary>
    /// Continues a text for a caller that must not block, such as a user interface or a server: the model runs on
    /// threads of the pool, a piece at a time, and only while the next one is awaited.
    /// </summary>
    /// <param name="model">The model; not disposed before the stream has ended.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="prompt">The text; the tokenizer adds its start token.</param>
    /// <param name="options">Sampling and length; null means greedy, 128 tokens.</param>
    /// <param name="cancellationToken">Looked at before each token.</param>
    /// <returns>The pieces of <see cref="GenerateText"/>. Stopping early leaves nothing running.</returns>
    /// <exception cref="ArgumentNullException">The model, the tokenizer or the prompt is null.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <remarks>Exceptions of <see cref="GenerateText"/> about the prompt, and those of the model, are thrown when a
    /// piece is awaited.</remarks>
    public static IAsyncEnumerable<string> StreamAsync(
        InferenceModel model, TextTokenizer tokenizer, string prompt, GenerationOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Of(model).StreamAsync(tokenizer, prompt, options, cancellationToken);

    private static SequenceGenerator Of(InferenceModel model) => new(new ManagedSequences(model));
}
