using SparseExpansion.Models;
using SparseExpansion.Models.Generation;

namespace SparseExpansion.Transformers.Generation;

/// <summary>One continuation of a text, to be gone through once, and what is known of it then.</summary>
/// <param name="model">The model.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <param name="prompt">Token ids of the prompt, at least one.</param>
/// <param name="options">Valid options that fit the model.</param>
internal sealed class TextContinuation(
    CausalLanguageModel model, TextTokenizer tokenizer, IReadOnlyList<int> prompt, GenerationOptions options)
{
    /// <summary>Tokens of the prompt, start tokens included.</summary>
    public int PromptTokens => prompt.Count;

    /// <summary>Tokens that have been generated so far, those of a stop string included.</summary>
    public int NewTokens { get; private set; }

    /// <summary>Reason for the end of the text; null before it has ended.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>The new text as it comes.</summary>
    /// <param name="cancellationToken">Looked at before each token.</param>
    public IEnumerable<string> Pieces(CancellationToken cancellationToken)
    {
        var pieces = new TextPieces(tokenizer, prompt);
        var scanner = new StopScanner(options.StopStrings);
        foreach (int id in TextGenerator.Continue(model, prompt, options, tokenizer.IsToken, cancellationToken))
        {
            NewTokens++;
            string text = scanner.Take(pieces.Add(id));
            Finish = scanner.Stopped ? FinishReason.StopString : null;
            if (text.Length > 0)
            {
                yield return text;
            }

            if (scanner.Stopped)
            {
                yield break;
            }
        }

        string rest = scanner.Take(pieces.Rest());
        rest += scanner.Rest();
        Finish = scanner.Stopped
            ? FinishReason.StopString
            : NewTokens == options.MaxNewTokens ? FinishReason.Length
            : FinishReason.EndToken;
        if (rest.Length > 0)
        {
            yield return rest;
        }
    }
}
