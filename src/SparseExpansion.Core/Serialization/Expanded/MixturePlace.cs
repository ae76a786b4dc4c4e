using SparseExpansion.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>A mixture in a model.</summary>
/// <param name="Path">Its module path; below a hooked linear this is longer than the layer's own name.</param>
/// <param name="Layer">The mixture.</param>
internal sealed record MixturePlace(string Path, SparseMixtureLayer Layer)
{
    /// <exception cref="SparseExpansionException">The model has no mixtures.</exception>
    public static IReadOnlyList<MixturePlace> Find(nn.Module model)
    {
        MixturePlace[] places = [.. model.named_modules()
            .Where(entry => entry.module is SparseMixtureLayer)
            .Select(entry => new MixturePlace(entry.name, (SparseMixtureLayer)entry.module))];
        return places.Length > 0
            ? places
            : throw new SparseExpansionException("The model has no mixture layers; expand it before it is saved.");
    }

    /// <summary>Files name layers as they are called, and are loaded by module path.</summary>
    /// <exception cref="SparseExpansionException">The layer is called otherwise than its place.</exception>
    public void RequireNamedByPath()
    {
        bool isModel = Path == HookedNames.Child && Layer.Name == HookedNames.Root;
        if (!isModel && Path != Layer.Name && Path != $"{Layer.Name}.{HookedNames.Child}")
        {
            throw new SparseExpansionException(
                $"The mixture layer at '{Path}' is called '{Layer.Name}', so a saved copy could not be loaded. "
                + "Save the model that was expanded, or name the layer by its path.");
        }
    }

    /// <summary>The live tensors of the model that belong to no mixture, by <c>state_dict</c> name.</summary>
    public static Dictionary<string, Tensor> DenseState(nn.Module model, IEnumerable<MixturePlace> places)
    {
        if (model is Linear)
        {
            return []; // All that there is belongs to the mixture, or is what is left of the linear.
        }

        // A mixture's own tensors lie below its name, and so does what is left of a hooked linear.
        string[] prefixes = [.. places.Select(place => place.Layer.Name + ".")];
        return model.state_dict()
            .Where(entry => !prefixes.Any(prefix => entry.Key.StartsWith(prefix, StringComparison.Ordinal)))
            .ToDictionary(entry => entry.Key, entry => entry.Value);
    }
}
