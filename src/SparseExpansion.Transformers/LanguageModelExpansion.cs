using SparseExpansion.Calibration;
using SparseExpansion.Expansion;
using SparseExpansion.Models;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using TorchSharp;

namespace SparseExpansion.Transformers;

/// <summary>Shorter ways to expand language models.</summary>
public static class LanguageModelExpansion
{
    /// <summary>
    /// Begins the expansion of a model's feed-forward layers, block by block. It still needs calibration data; later
    /// calls of the builder override these settings.
    /// </summary>
    /// <param name="model">A dense model.</param>
    /// <param name="target">Sparsity to reach.</param>
    /// <param name="recipe">Recipe for training routers and pruning experts; null means
    /// <see cref="ExpansionRecipe.Published"/>.</param>
    /// <returns>A builder that needs calibration data before it can run.</returns>
    /// <exception cref="ArgumentNullException">The model or the target is null.</exception>
    public static ExpansionBuilder<CausalLanguageModel> ExpandFeedForward(
        this CausalLanguageModel model, SparsityTarget target, ExpansionRecipe? recipe = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Expand().Blocks(m => m.Blocks).Targets([.. model.Config.FeedForwardPatterns])
            .WithRecipe(recipe ?? ExpansionRecipe.Published, target);
    }

    /// <summary>
    /// Calibrates on windows of tokens. The expansion makes its batches of them, on the device of the model, and
    /// disposes them.
    /// </summary>
    /// <typeparam name="TModel">A model that is called with token ids [batch, sequence].</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="windows">Token ids.</param>
    /// <param name="batchSize">Windows that go through the model at a time; null means
    /// <see cref="TokenWindows.DefaultBatchSize"/>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is less than 1.</exception>
    /// <exception cref="ArgumentException">The windows are longer than the model's context, or have ids outside of its
    /// vocabulary.</exception>
    public static ExpansionBuilder<TModel> CalibrateOn<TModel>(
        this ExpansionBuilder<TModel> builder, TokenWindows windows, int? batchSize = null)
        where TModel : torch.nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(windows);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize ?? 1, 1, nameof(batchSize));
        if (builder.Model is CausalLanguageModel model)
        {
            TokenWindows.RequireFit(windows, model.Config);
        }

        TModel called = builder.Model;
        return builder.CalibrateOn(() => windows.Batches(batchSize, called.parameters().FirstOrDefault()?.device).Select(CalibrationBatch.FromTensor));
    }

    /// <summary>Calibrates on a text, see <see cref="TokenWindows.FromText"/>.</summary>
    /// <param name="builder">The expansion.</param>
    /// <param name="text">Documents, separated by lines <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="context">Tokens of a window; null means <see cref="TokenWindows.DefaultContext"/>.</param>
    /// <exception cref="CalibrationException">The text gives fewer tokens than one window.</exception>
    /// <exception cref="ArgumentException">The context is longer than the model's, or the tokenizer is another
    /// model's.</exception>
    public static ExpansionBuilder<CausalLanguageModel> CalibrateOnText(
        this ExpansionBuilder<CausalLanguageModel> builder, string text, TextTokenizer tokenizer, int? context = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.CalibrateOn(
            TokenWindows.FromText(text, tokenizer, context ?? TokenWindows.DefaultContext(builder.Model.Config)));
    }
}
