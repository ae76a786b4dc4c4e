using SparseExpansion.Routing;
using SparseExpansion.Serialization.Expanded;
using TorchSharp;

namespace SparseExpansion.Serialization;

/// <summary>
/// Expanded models on disk: a folder with <c>expansion.json</c> (which layers are mixtures), <c>model.safetensors</c>
/// (everything else) and <c>experts.safetensors</c> (experts, biases, routers).
/// </summary>
public static class ExpandedModel
{
    /// <summary>True if the folder holds an expanded model.</summary>
    public static bool IsExpanded(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        return File.Exists(Path.Combine(folder, ExpandedIndex.FileName));
    }

    /// <summary>Writes an expanded model. The folder appears only when it is complete.</summary>
    /// <param name="model">A model with mixture layers.</param>
    /// <param name="folder">The folder to make.</param>
    /// <param name="overwrite">Replaces what is there; otherwise an existing folder must be empty.</param>
    /// <param name="addFiles">Called with the unfinished folder, to put further files into it; null for none.</param>
    /// <exception cref="CheckpointException">The folder exists or cannot be written.</exception>
    /// <exception cref="SparseExpansionException">The model has no mixture layer, or a router that cannot be written.</exception>
    public static void Save(torch.nn.Module model, string folder, bool overwrite = false, Action<string>? addFiles = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ExpandedModelWriter.Write(model, folder, overwrite, addFiles);
    }

    /// <summary>
    /// Turns a dense model of the same architecture into the expanded one: puts the mixtures into their places and
    /// loads all tensors, onto the device where the dense weights lie. The dense weights' values do not matter.
    /// </summary>
    /// <param name="model">A freshly built model; changed in place, and only when the files have proved to fit.</param>
    /// <param name="folder">What <see cref="Save"/> wrote.</param>
    /// <param name="routers">Kinds of routers; null for those of this library.</param>
    /// <exception cref="CheckpointException">A file is missing, malformed, or does not fit the model.</exception>
    public static void Load(torch.nn.Module model, string folder, RouterKinds? routers = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var reader = new ExpandedModelReader(folder, routers ?? RouterKinds.Default);
        reader.LoadInto(model);
    }
}
