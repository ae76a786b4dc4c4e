using SparseExpansion.Models;

namespace SparseExpansion.Inference;

/// <summary>What the package's README and <c>docs/inference.md</c> show.</summary>
internal static class ReadmeSample
{
    public static async Task StreamAsync(string folder, TextWriter output)
    {
        #region stream
        using InferenceModel model = InferenceModel.Load(folder);
        TextTokenizer tokenizer = TextTokenizer.Load(folder);
        var options = new GenerationOptions { MaxNewTokens = 32 };
        await foreach (string piece in ManagedGenerator.StreamAsync(model, tokenizer, "Once upon a time", options))
        {
            await output.WriteAsync(piece);
        }

        #endregion
    }

    public static float Score(string folder, int[] prompt, int[] first, int[] second)
    {
        #region sessions
        using InferenceModel model = InferenceModel.Load(folder, new InferenceOptions
        {
            Threads = 4,
            Activations = ActivationPrecision.Float32,
            Cache = CacheFormat.Int8,
            CacheBytes = 1L << 30,
        });
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        ReadOnlySpan<float> logits = session.Append(sequence, prompt);   // [vocabulary], until the next call
        float[] all = new float[first.Length * model.Config.VocabularySize];
        session.Append(sequence, first, all);                            // logits after each token
        sequence.Truncate(prompt.Length);                                // back to the prompt, without reading it again
        logits = session.Append(sequence, second);
        #endregion
        return logits[0] - all[0];
    }
}
