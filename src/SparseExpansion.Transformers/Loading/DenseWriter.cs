using SparseExpansion.Internal.Files;
using SparseExpansion.Layers;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

/// <summary>Writes a model as the dense checkpoint that its family is published as.</summary>
internal static class DenseWriter
{
    private static readonly Dictionary<string, string> s_metadata = new() { ["format"] = "pt" };

    /// <summary>Writes weights and side files; the folder appears when it is complete.</summary>
    public static void Write(CausalLanguageModel model, string folder, string source, bool overwrite)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = Tensors(model);
        using AtomicFolder output = AtomicFolder.Create(folder, overwrite);
        SafetensorsWriter.Write(
            Path.Combine(output.Path, CheckpointShards.SingleFile),
            tensors.Select(entry => KeyValuePair.Create(entry.Key, model.Names.IsTransposed(entry.Key) ? entry.Value.t() : entry.Value)),
            s_metadata);
        ModelFolder.CopySideFiles(source, output.Path);
        output.Commit();
    }

    private static Dictionary<string, Tensor> Tensors(CausalLanguageModel model)
    {
        IReadOnlyDictionary<string, SparseMixtureLayer> mixtures = model.Mixtures();
        if (mixtures.Count == 0)
        {
            return model.state_dict();
        }

        Dictionary<string, Tensor> tensors = MixturePlace.DenseState(model, MixturePlace.Find(model));
        foreach ((string path, SparseMixtureLayer layer) in mixtures)
        {
            if (layer.ExpertCount > 1)
            {
                throw new SparseExpansionException(
                    $"Layer '{path}' has {layer.ExpertCount} experts; a dense checkpoint has room for one. Save the expanded model, or expand it with one expert.");
            }

            tensors.Add($"{path}.weight", layer.GetExpertWeight(0));
            if (layer.Bias is { } bias)
            {
                tensors.Add($"{path}.bias", bias.flatten());
            }
        }

        return tensors;
    }
}
