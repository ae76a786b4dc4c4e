using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization.Expanded;
using TorchSharp;

namespace SparseExpansion.Serialization.Expanded;

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

    /// <summary>
    /// Lists the tensors of an expanded model, from the headers of its files; their names are in docs/format.md.
    /// </summary>
    /// <returns>The tensors by name; offsets are those in their own file.</returns>
    /// <exception cref="CheckpointException">A file is missing or damaged, or both files have a tensor of the same
    /// name.</exception>
    public static IReadOnlyDictionary<string, SafetensorsEntry> ListTensors(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using SafetensorsReader model = SafetensorsReader.Open(Path.Combine(folder, ExpandedTensorNames.ModelFile));
        using SafetensorsReader experts = SafetensorsReader.Open(Path.Combine(folder, ExpandedTensorNames.ExpertsFile));
        var entries = new Dictionary<string, SafetensorsEntry>(model.Entries, StringComparer.Ordinal);
        foreach ((string name, SafetensorsEntry entry) in experts.Entries)
        {
            if (!entries.TryAdd(name, entry))
            {
                throw new CheckpointException(
                    $"{experts.FilePath}: tensor '{name}' is in {ExpandedTensorNames.ModelFile} too.");
            }
        }

        return entries;
    }

    /// <summary>Writes an expanded model. The folder appears only when it is complete.</summary>
    /// <param name="model">A model with mixture layers.</param>
    /// <param name="folder">The folder to make.</param>
    /// <param name="overwrite">True to replace an existing folder; otherwise it must be empty or missing.</param>
    /// <param name="addFiles">Called with the unfinished folder, to put further files into it; null for none.</param>
    /// <param name="format">Format of the stored experts; the model stays as it is.</param>
    /// <exception cref="CheckpointException">The folder exists or cannot be written.</exception>
    /// <exception cref="SparseExpansionException"> The model has no mixture layer, one that is called otherwise than
    /// its module path, a router that cannot be written, or experts that cannot be packed.
    /// </exception>
    public static void Save(
        torch.nn.Module model, string folder, bool overwrite = false, Action<string>? addFiles = null,
        ExpertFormat format = ExpertFormat.Unchanged)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ExpandedModelWriter.Write(model, folder, overwrite, addFiles, format);
    }

    /// <summary>
    /// Writes a folder again with its experts in another format, such as dense for programs that know safetensors but
    /// not this library. Needs no model, and memory for one expert (to dense) or for the packed experts (to packed).
    /// Values stay the same to the last bit, except that zeros lose their sign when they are packed. All other files
    /// are copied.
    /// </summary>
    /// <param name="source">Folder that <see cref="Save"/> wrote.</param>
    /// <param name="folder">The folder to make; it appears only when it is complete.</param>
    /// <param name="format">New format of the stored experts.</param>
    /// <param name="overwrite">True to replace an existing folder; otherwise it must be empty or missing.</param>
    /// <exception cref="CheckpointException">A file is missing or malformed, or the folder exists or cannot be
    /// written.</exception>
    /// <exception cref="SparseExpansionException">Experts that are neither float32 nor bfloat16 cannot be
    /// packed.</exception>
    public static void Convert(string source, string folder, ExpertFormat format, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var converter = new ExpandedModelConverter(source, format);
        converter.Write(folder, overwrite);
    }

    /// <summary>
    /// Turns a dense model of the same architecture into the expanded one: puts the mixtures into their places and
    /// loads all tensors, onto the device where the dense weights lie. The dense weights' values do not matter.
    /// </summary>
    /// <param name="model">A freshly built model; changed in place, and only when the files have proved to fit.</param>
    /// <param name="folder">Folder that <see cref="Save"/> wrote.</param>
    /// <param name="routers">Kinds of routers; null for those of this library.</param>
    /// <exception cref="CheckpointException">A file is missing, malformed, or does not fit the model.</exception>
    public static void Load(torch.nn.Module model, string folder, RouterKinds? routers = null) =>
        Load(model, folder, new ExpandedLoadOptions { Routers = routers ?? RouterKinds.Default });

    /// <inheritdoc cref="Load(torch.nn.Module, string, RouterKinds?)"/>
    /// <param name="options">Kinds of routers, and where packed experts live.</param>
    public static void Load(torch.nn.Module model, string folder, ExpandedLoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        using var reader = new ExpandedModelReader(folder, options);
        reader.LoadInto(model);
    }
}
