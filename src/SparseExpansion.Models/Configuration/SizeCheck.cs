using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Holds a configuration against the files' headers before a model of its size is made: it may ask for more memory than
/// there is.
/// </summary>
internal static class SizeCheck
{
    /// <summary>Smaller differences are reported by the names of the tensors.</summary>
    private const long Slack = 8L << 20;

    /// <summary>A packed expert has at least one bit for each of its weights.</summary>
    private const long WeightsPerByte = 8;

    /// <param name="config">The architecture.</param>
    /// <param name="folder">The folder, for the message.</param>
    /// <param name="entries">The tensors of its files.</param>
    /// <param name="isExpanded">True if it holds an expanded model.</param>
    /// <exception cref="CheckpointException">The files hold by far fewer weights, or fewer tensors than the model has
    /// blocks.</exception>
    public static void Require(
        ModelConfig config, string folder, IReadOnlyCollection<SafetensorsEntry> entries, bool isExpanded)
    {
        Int128 stored = 0;
        foreach (SafetensorsEntry entry in entries)
        {
            stored += isExpanded
                ? entry.ByteLength * WeightsPerByte
                : entry.Shape.Aggregate((Int128)1, (product, size) => product * size);
        }

        Int128 needed = LeastWeights(config);
        if (needed > stored + Slack || config.LayerCount > entries.Count)
        {
            throw new CheckpointException(
                $"{Path.Combine(folder, CheckpointFiles.Config)}: describes {config.LayerCount} blocks and {needed} weights; the files hold {entries.Count} tensors "
                + $"and at most {stored} weights. Configuration and weights do not belong together.");
        }
    }

    /// <summary>The matrices alone.</summary>
    private static Int128 LeastWeights(ModelConfig config)
    {
        Int128 hidden = config.HiddenSize;
        Int128 heads = 2 * ((Int128)config.HeadCount + config.KeyValueHeadCount) * config.HeadDimension;
        Int128 vocabulary = (config.TieWordEmbeddings ? 1 : 2) * (Int128)config.VocabularySize;
        Int128 sum = vocabulary * (config.EmbeddingSize ?? hidden);
        foreach (LayerOptions layer in config.Layers)
        {
            Int128 width = layer.HasExperts ? (Int128)config.Experts!.Count * config.Experts.IntermediateSize : config.IntermediateSize;
            sum += hidden * (heads + ((config.HasGate ? 3 : 2) * width));
        }

        return sum;
    }
}
