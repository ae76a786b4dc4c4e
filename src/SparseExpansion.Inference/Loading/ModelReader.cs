using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Inference.Decoder;
using SparseExpansion.Models;
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
        var shards = new List<SafetensorsFile>();
        foreach ((string name, HashSet<string>? names) in CheckpointShards.Files(folder))
        {
            SafetensorsFile file = files.Add(Path.Combine(folder, name));
            CheckpointShards.RequireSame(file.FilePath, file.Entries, names);
            shards.Add(file);
        }

        string home = shards.Count == 1 ? shards[0].FilePath : folder;
        return Make(folder, config, files, new WeightSource(files, config, home, isDense: true), null);
    }

    private static LoadedModel ReadExpanded(string folder, ModelConfig config, TensorFiles files)
    {
        ExpandedIndex index = ExpandedIndex.Read(folder);
        SafetensorsFile rest = files.Add(Path.Combine(folder, ExpandedTensorNames.ModelFile));
        SafetensorsFile experts = files.Add(Path.Combine(folder, ExpandedTensorNames.ExpertsFile));
        var mixtures = new MixtureSource(index, files, experts.FilePath);
        return Make(folder, config, files, new WeightSource(files, config, rest.FilePath, isDense: false), mixtures);
    }

    /// <summary>Nothing is allocated or read before the headers of all files are found to fit.</summary>
    private static LoadedModel Make(
        string folder, ModelConfig config, TensorFiles files, WeightSource weights, MixtureSource? mixtures)
    {
        SizeCheck.Require(config, folder, files.Entries, isExpanded: mixtures is not null);
        var faults = new TensorFaults(files);
        new DecoderLoader(config, new PartSurvey(weights, mixtures, faults)).Make().Dispose();
        faults.RequireNone();
        var parts = new PartReader(weights, mixtures);
        try
        {
            DecoderStack stack = new DecoderLoader(config, parts).Make();
            mixtures?.RequireNothingLeft();
            weights.RequireNothingLeft();
            return new LoadedModel(stack, [.. mixtures?.Routers ?? []], [.. parts.Coded], files);
        }
        catch
        {
            parts.Dispose();
            throw;
        }
    }
}
