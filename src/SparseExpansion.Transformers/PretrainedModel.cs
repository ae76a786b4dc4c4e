using SparseExpansion.Execution.Expanded;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Files;
using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Transformers.Loading;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>
/// Loads models from folders in Hugging Face layout, dense or expanded, and makes expanded folders of dense ones.
/// </summary>
public static class PretrainedModel
{
    /// <summary>
    /// Loads architecture and weights. A folder with <c>expansion.json</c> gives a model whose linears are mixtures of
    /// sparse experts.
    /// </summary>
    /// <param name="folder"> Holds <c>config.json</c> and either <c>model.safetensors</c> or
    /// <c>model.safetensors.index.json</c> with its shards; or what <see cref="ExpansionResult.Save"/> wrote, with
    /// <c>config.json</c> added.
    /// </param>
    /// <param name="options">Device and type; null means float32 on the CPU.</param>
    /// <returns>The model in evaluation mode; the caller disposes it.</returns>
    /// <exception cref="CheckpointException"> A file is missing or damaged, the configuration asks for something
    /// unsupported, or tensors do not fit the model.
    /// </exception>
    public static CausalLanguageModel Load(string folder, LoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new LoadOptions();
        options.Validate();
        ModelConfig config = ModelConfig.Load(folder);
        RequireSize(config, folder);
        CausalLanguageModel model = CausalLanguageModel.Create(
            config, options.Device, options.DType ?? (ScalarType?)config.DType ?? ScalarType.Float32);
        try
        {
            if (ExpandedModel.IsExpanded(folder))
            {
                ExpandedModel.Load(
                    model, folder,
                    new ExpandedLoadOptions { MemoryMap = options.MemoryMap, Routers = options.Routers });
            }
            else
            {
                bool map = options.MapDenseWeights && model.Device.type == TorchSharp.DeviceType.CPU;
                WeightLoader.Load(
                    model, CheckpointTensors.Read(folder, map), folder, map ? options.ScratchFolder : null);
            }

            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Text in, model out: loads a dense checkpoint, expands its feed-forward layers on a text, block by block, and
    /// writes the expanded model with configuration and tokenizer to a folder that <see cref="Load"/> reads.
    /// </summary>
    /// <param name="folder">The dense checkpoint, as for <see cref="Load"/>, with its tokenizer.</param>
    /// <param name="output">The folder to make; it appears only when it is complete.</param>
    /// <param name="text">Calibration text: some hundred thousand tokens of text like that which the model will meet.
    /// Lines <c>&lt;|endoftext|&gt;</c> separate documents.</param>
    /// <param name="target">Sparsity to reach.</param>
    /// <param name="options">Recipe, further calls of the builder, loading, saving; null means the defaults.</param>
    /// <param name="cancellationToken">Observed between units of work.</param>
    /// <returns>Report of the expansion, layer by layer.</returns>
    /// <exception cref="CheckpointException">A file is missing or damaged, the output folder is not empty or cannot be
    /// written, or it holds the checkpoint itself.</exception>
    /// <exception cref="SparseExpansionException">Model or text do not allow the expansion.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static ExpansionReport Expand(
        string folder, string output, string text, SparsityTarget target, PretrainedExpansionOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrWhiteSpace(output);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(target);
        options ??= new PretrainedExpansionOptions();
        options.Validate();
        ModelFolder.RequireApart(output, folder);
        AtomicFolder.RequireFree(output, options.Overwrite); // Before hours of work, not after.
        ModelConfig config = ModelConfig.Load(folder);
        TokenWindows windows = TokenWindows.FromText(
            text, TextTokenizer.Load(folder), options.Context ?? TokenWindows.DefaultContext(config));
        using CausalLanguageModel model = Load(folder, options.Load);
        ExpansionBuilder<CausalLanguageModel> builder = model.ExpandFeedForward(target, options.Recipe)
            .CalibrateOn(windows);
        options.Configure?.Invoke(builder);
        using ExpansionResult result = options.Progress is { } progress
            ? builder.Run(progress, cancellationToken)
            : builder.Run(cancellationToken: cancellationToken);
        result.SavePretrained(output, folder, options.Overwrite, options.Format);
        return result.Report;
    }

    private static void RequireSize(ModelConfig config, string folder)
    {
        bool isExpanded = ExpandedModel.IsExpanded(folder);
        if (isExpanded)
        {
            ExpandedIndex.Read(folder); // Its faults come first: without it the other files mean nothing.
        }

        SizeCheck.Require(config, folder, [.. ModelFolder.ListTensors(folder).Values], isExpanded);
    }
}
