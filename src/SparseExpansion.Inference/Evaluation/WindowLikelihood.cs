using SparseExpansion.Models.Generation;

namespace SparseExpansion.Inference.Evaluation;

/// <summary>Negative log-likelihood of windows of text, each token predicted from those before it in its window.</summary>
internal static class WindowLikelihood
{
    private const int LogitsAtATime = 1 << 22;

    /// <summary>Σ (logsumexp(logits) − logit of the next token) over all windows, in nats.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ids">Windows one after the other, ids of the model's vocabulary.</param>
    /// <param name="context">Tokens of a window, at least 2.</param>
    /// <param name="progress">Told the number of windows done and their sum; null: nobody is.</param>
    /// <param name="cancellationToken">Looked at before each window.</param>
    /// <param name="logitsAtATime">Bounds the memory for logits.</param>
    /// <exception cref="SparseExpansionException">The model gives logits that are not finite.</exception>
    public static double Negative(
        InferenceModel model, ReadOnlySpan<long> ids, int context, Action<int, double>? progress,
        CancellationToken cancellationToken, int logitsAtATime = LogitsAtATime)
    {
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        int[] window = new int[context];
        int vocabulary = model.Config.VocabularySize;
        float[] logits = new float[Math.Clamp(logitsAtATime / vocabulary, 1, context - 1) * vocabulary];
        double sum = 0;
        for (int first = 0, done = 1; first + context <= ids.Length; first += context, done++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int i = 0; i < context; i++)
            {
                window[i] = checked((int)ids[first + i]);
            }

            sequence.Truncate(0);
            double nats = Window(session, sequence, window, logits, vocabulary);
            sum += double.IsFinite(nats)
                ? nats
                : throw new SparseExpansionException($"The model gives logits that are not finite in window {done - 1}.");
            progress?.Invoke(done, sum);
        }

        return sum;
    }

    private static double Window(
        InferenceSession session, InferenceSequence sequence, ReadOnlySpan<int> window, float[] logits, int vocabulary)
    {
        double sum = 0;
        for (int at = 0, count; at < window.Length - 1; at += count)
        {
            count = Math.Min(logits.Length / vocabulary, window.Length - 1 - at);
            session.Append(sequence, window.Slice(at, count), logits.AsSpan(0, count * vocabulary), window.Length - 1);
            for (int token = 0; token < count; token++)
            {
                ReadOnlySpan<float> row = logits.AsSpan(token * vocabulary, vocabulary);
                sum += LogProbabilities.Normalizer(row) - row[window[at + token + 1]];
            }
        }

        return sum;
    }
}
