using SparseExpansion.Serialization;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Loads models from folders in Hugging Face layout, dense or expanded.</summary>
public static class PretrainedModel
{
    /// <summary>Loads architecture and weights. A folder with <c>expansion.json</c> gives a model whose linears are mixtures of sparse experts.</summary>
    /// <param name="folder">
    /// Holds <c>config.json</c> and either <c>model.safetensors</c> or <c>model.safetensors.index.json</c> with its shards; or
    /// what <see cref="SparseExpansion.Expansion.ExpansionResult.Save"/> wrote, with <c>config.json</c> added.
    /// </param>
    /// <param name="options">Device and type; null means float32 on the CPU.</param>
    /// <returns>The model in evaluation mode; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">
    /// A file is missing or damaged, the configuration asks for something unsupported, or tensors do not fit the model.
    /// </exception>
    public static CausalLanguageModel Load(string folder, LoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new LoadOptions();
        options.Validate();
        ModelConfig config = ModelConfig.Load(folder);
        SizeCheck.Require(config, folder);
        CausalLanguageModel model = CausalLanguageModel.Create(config, options.Device, options.DType ?? config.DType ?? ScalarType.Float32);
        try
        {
            if (ExpandedModel.IsExpanded(folder))
            {
                ExpandedModel.Load(model, folder, new ExpandedLoadOptions { MemoryMap = options.MemoryMap });
            }
            else
            {
                bool map = options.MapDenseWeights && model.Device.type == TorchSharp.DeviceType.CPU;
                WeightLoader.Load(model, CheckpointTensors.Read(folder, map), folder, map ? options.ScratchFolder : null);
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
}
