using SparseExpansion.Cli.Hosting;
using SparseExpansion.Models;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Options;

/// <summary>The folder of a model, dense or expanded.</summary>
/// <param name="Folder">As the user wrote it.</param>
/// <param name="Config">Its architecture.</param>
/// <param name="IsExpanded">True if it contains mixtures of experts.</param>
internal sealed record ModelSource(string Folder, ModelConfig Config, bool IsExpanded)
{
    /// <summary>Reads the folder's configuration, without loading weights.</summary>
    /// <exception cref="UsageException">There is no such folder.</exception>
    /// <exception cref="CheckpointException">It contains no model that the tool supports.</exception>
    public static ModelSource Open(string folder) => Directory.Exists(folder)
        ? new ModelSource(folder, ModelConfig.Load(folder), ExpandedModel.IsExpanded(folder))
        : throw new UsageException(File.Exists(folder) ? $"--model {folder}: is a file; give the folder that contains it." : $"--model {folder}: there is no such folder.");

    /// <summary>Loads the weights; the caller disposes the model.</summary>
    /// <param name="device">Device of the weights.</param>
    /// <param name="dtype">Data type of the weights.</param>
    /// <param name="memoryMap">True to memory-map packed experts.</param>
    public CausalLanguageModel Load(Device device, ScalarType dtype = ScalarType.Float32, bool memoryMap = true) =>
        PretrainedModel.Load(Folder, new LoadOptions { Device = device, DType = dtype, MemoryMap = memoryMap });

    /// <summary>
    /// Memory-maps dense weights; those of another type are converted into files in a folder. The caller disposes the
    /// model.
    /// </summary>
    public CausalLanguageModel LoadMapped(Device device, ScalarType dtype, string scratchFolder) =>
        PretrainedModel.Load(
            Folder,
            new LoadOptions { Device = device, DType = dtype, MapDenseWeights = true, ScratchFolder = scratchFolder });

    /// <summary>Creates the model with uninitialized weights; the caller disposes it.</summary>
    public CausalLanguageModel CreateUnset(Device device, ScalarType dtype) =>
        CausalLanguageModel.Create(Config, device, dtype);
}
