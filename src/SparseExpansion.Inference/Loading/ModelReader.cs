using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Models;
using SparseExpansion.Inference.Decoder;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Inference.Loading;

/// <summary>Reads a folder in Hugging Face layout, dense or expanded.</summary>
internal static class ModelReader
{
    /// <summary>Maps the files and makes the decoder; all of them are checked before.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged, or does not fit the configuration.</exception>
    public static LoadedModel Read(string folder)
    {
        bool isExpanded = Path.Exists(Path.Combine(folder, ExpandedIndex.FileName));
        ModelConfig config = ModelConfig.Load(folder);
        var files = new TensorFiles { Source = folder };
        try
        {
            return isExpanded ? ReadExpanded(folder, config, files) : ReadDense(folder, config, files);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    private static LoadedModel ReadDense(string folder, ModelConfig config, TensorFiles files)
    {
        foreach ((string name, HashSet<string>? names) in CheckpointShards.Files(folder))
        {
            SafetensorsFile file = files.Add(Path.Combine(folder, name));
            CheckpointShards.RequireSame(file.FilePath, file.Entries, names);
        }

        var weights = new WeightSource(files, config, isDense: true);
        return new LoadedModel(new DecoderLoader(config, weights, null).Load(), [], [], files);
    }

    private static LoadedModel ReadExpanded(string folder, ModelConfig config, TensorFiles files)
    {
        ExpandedIndex index = ExpandedIndex.Read(folder);
        files.Add(Path.Combine(folder, ExpandedTensorNames.ModelFile));
        SafetensorsFile experts = files.Add(Path.Combine(folder, ExpandedTensorNames.ExpertsFile));
        var mixtures = new MixtureSource(index, files, experts.FilePath);
        var weights = new WeightSource(files, config, isDense: false);
        var loader = new DecoderLoader(config, weights, mixtures);
        DecoderStack stack = loader.Load();
        return new LoadedModel(stack, [.. mixtures.Routers], loader.Coded, files);
    }
}
