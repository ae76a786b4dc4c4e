using SparseExpansion.Serialization;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>The folder of a model, dense or expanded.</summary>
/// <param name="Folder">As the user wrote it.</param>
/// <param name="Config">Its architecture.</param>
/// <param name="IsExpanded">True if it holds mixtures of experts.</param>
internal sealed record ModelSource(string Folder, ModelConfig Config, bool IsExpanded)
{
    /// <summary>Looks into the folder; loads no weights.</summary>
    /// <exception cref="UsageException">There is no such folder.</exception>
    /// <exception cref="CheckpointException">It holds no model that the tool understands.</exception>
    public static ModelSource Open(string folder) => Directory.Exists(folder)
        ? new ModelSource(folder, ModelConfig.Load(folder), ExpandedModel.IsExpanded(folder))
        : throw new UsageException($"--model {folder}: there is no such folder.");

    /// <summary>Loads the weights in float32; the caller disposes the model.</summary>
    public CausalLanguageModel Load(Device device) => PretrainedModel.Load(Folder, new LoadOptions { Device = device });
}
