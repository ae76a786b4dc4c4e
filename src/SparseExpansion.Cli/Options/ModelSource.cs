using SparseExpansion.Models;
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
        : throw new UsageException(File.Exists(folder) ? $"--model {folder}: is a file; name the folder that holds it." : $"--model {folder}: there is no such folder.");

    /// <summary>Loads the weights; the caller disposes the model.</summary>
    /// <param name="device">Where to put them.</param>
    /// <param name="dtype">Their type.</param>
    /// <param name="memoryMap">True: packed experts are used where they lie in the file.</param>
    public CausalLanguageModel Load(Device device, ScalarType dtype = ScalarType.Float32, bool memoryMap = true) =>
        PretrainedModel.Load(Folder, new LoadOptions { Device = device, DType = dtype, MemoryMap = memoryMap });

    /// <summary>Loads dense weights where they lie on disk; those of another type are converted into a folder. The caller disposes the model.</summary>
    public CausalLanguageModel LoadMapped(Device device, ScalarType dtype, string scratchFolder) =>
        PretrainedModel.Load(Folder, new LoadOptions { Device = device, DType = dtype, MapDenseWeights = true, ScratchFolder = scratchFolder });

    /// <summary>The architecture, with weights that nobody has set; the caller disposes the model.</summary>
    public CausalLanguageModel CreateUnset(Device device, ScalarType dtype) => CausalLanguageModel.Create(Config, device, dtype);
}
