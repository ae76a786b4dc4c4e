using System.Runtime.CompilerServices;
using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>
/// Measures perplexity over windows that do not overlap: each token is predicted from those before it in its window.
/// </summary>
public static class Perplexity
{
    /// <summary>Runs the model over all windows.</summary>
    /// <param name="model">The model, in any state of expansion.</param>
    /// <param name="windows">Token ids.</param>
    /// <param name="options">Batch size; null means the defaults.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Looked at before each batch.</param>
    /// <exception cref="ArgumentException">A window is longer than the model's context, or ids are outside of its
    /// vocabulary.</exception>
    /// <exception cref="SparseExpansionException">The model gives logits that are not finite.</exception>
    [OverloadResolutionPriority(1)] // For null.
    public static PerplexityResult Evaluate(
        CausalLanguageModel model, TokenWindows windows, PerplexityOptions? options = null,
        IProgress<PerplexityProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(windows);
        options ??= new PerplexityOptions();
        options.Validate();
        TokenWindows.RequireFit(windows, model.Config);
        double sum = 0;
        int done = 0;
        foreach (Tensor batch in windows.Batches(options.BatchSize, model.Device))
        {
            using (batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                sum += NegativeLogLikelihood(model, batch, done);
                done += (int)batch.size(0);
            }

            progress?.Report(
                new PerplexityProgress(done, windows.Count, Math.Exp(sum / ((double)done * (windows.Context - 1)))));
        }

        long predicted = (long)done * (windows.Context - 1);
        return new PerplexityResult(Math.Exp(sum / predicted), sum / predicted, predicted, done, windows.Context);
    }

    /// <summary>Runs the model over all windows.</summary>
    /// <param name="model">The model, in any state of expansion.</param>
    /// <param name="windows">Token ids.</param>
    /// <param name="options">Batch size; null means the defaults.</param>
    /// <param name="progress">Called after each batch, in order, on this thread: the work waits for it.
    /// <see cref="Progress{T}"/> would post to other threads.</param>
    /// <param name="cancellationToken">Looked at before each batch.</param>
    /// <exception cref="ArgumentException">A window is longer than the model's context, or ids are outside of its
    /// vocabulary.</exception>
    /// <exception cref="SparseExpansionException">The model gives logits that are not finite.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="progress"/> is null.</exception>
    public static PerplexityResult Evaluate(
        CausalLanguageModel model, TokenWindows windows, Action<PerplexityProgress> progress,
        PerplexityOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(progress);
        return Evaluate(model, windows, options, new ActionProgress<PerplexityProgress>(progress), cancellationToken);
    }

    /// <summary>Σ (logsumexp(logits) − logit of the next token), summed in double precision.</summary>
    private static double NegativeLogLikelihood(CausalLanguageModel model, Tensor batch, int firstWindow)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long predictions = batch.size(1) - 1;
        Tensor logits = model.call(batch);
        double total = 0;

        // Window by window: the temporaries of a softmax over large vocabularies are as large as the logits.
        for (long window = 0; window < batch.size(0); window++)
        {
            using var windowScope = NewDisposeScope();
            Tensor rows = logits[window].narrow(0, 0, predictions);
            Tensor next = batch[window].narrow(0, 1, predictions).unsqueeze(-1);
            double sum = (rows.logsumexp(-1) - rows.gather(-1, next).squeeze(-1)).to(float64).sum().item<double>();
            total += double.IsFinite(sum)
                ? sum
                : throw new SparseExpansionException(
                    $"The model gives logits that are not finite in window {firstWindow + window}.");
        }

        return total;
    }
}
