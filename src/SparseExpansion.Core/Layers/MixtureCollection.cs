using System.Collections;
using System.Diagnostics.CodeAnalysis;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// The mixtures of a model by module path, in the order of the model's modules. They belong to the model.
/// </summary>
/// <remarks>
/// Operations on all of them are done to all or to none: if one fails, the others are as they were. Until the last one
/// is ready the experts are in memory in both forms; where that is too much, call the layers one after the other. Not
/// to be called while a forward pass runs.
/// </remarks>
public sealed class MixtureCollection : IReadOnlyDictionary<string, SparseMixtureLayer>
{
    private readonly OrderedDictionary<string, SparseMixtureLayer> _layers = new(StringComparer.Ordinal);

    internal MixtureCollection(IEnumerable<(string Path, SparseMixtureLayer Layer)> layers)
    {
        foreach ((string path, SparseMixtureLayer layer) in layers)
        {
            _layers.Add(path, layer);
        }
    }

    /// <summary>
    /// Finds the mixtures of a model, depth first. One that stands in several places is listed under the first of them.
    /// </summary>
    internal static MixtureCollection Of(nn.Module model)
    {
        var found = new List<(string, SparseMixtureLayer)>();
        if (model is SparseMixtureLayer single)
        {
            found.Add((single.Name, single));
        }
        else
        {
            Visit(model, "", found);
        }

        return new MixtureCollection(found.DistinctBy(entry => entry.Item2));
    }

    /// <inheritdoc/>
    public SparseMixtureLayer this[string key] => _layers.TryGetValue(key, out SparseMixtureLayer? layer)
        ? layer
        : throw new KeyNotFoundException(
            Count == 0
                ? $"There is no mixture '{key}': the model has none."
                : $"There is no mixture '{key}' among the {Count}, "
                    + $"from '{_layers.GetAt(0).Key}' to '{_layers.GetAt(Count - 1).Key}'.");

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _layers.Keys;

    /// <inheritdoc/>
    public IEnumerable<SparseMixtureLayer> Values => _layers.Values;

    /// <summary>Number of mixtures.</summary>
    public int Count => _layers.Count;

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _layers.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out SparseMixtureLayer value) =>
        _layers.TryGetValue(key, out value);

    /// <summary>Packs all layers, see <see cref="SparseMixtureLayer.Pack"/>.</summary>
    /// <returns>This collection.</returns>
    /// <exception cref="InvalidOperationException">The experts of a layer are not on the CPU, or neither float32 nor
    /// bfloat16; no layer has changed.</exception>
    public MixtureCollection Pack()
    {
        foreach (SparseMixtureLayer packed in Exchange(layer => layer.MakePacked()))
        {
            packed.Freeze();
        }

        return this;
    }

    /// <summary>Unpacks all layers, see <see cref="SparseMixtureLayer.Unpack"/>.</summary>
    /// <returns>This collection.</returns>
    public MixtureCollection Unpack()
    {
        Exchange(layer => layer.MakeUnpacked());
        return this;
    }

    /// <summary>Lets all layers be trained, see <see cref="SparseMixtureLayer.Unfreeze"/>.</summary>
    /// <returns>Parameters for one optimizer: weights and biases, layer after layer.</returns>
    /// <exception cref="InvalidOperationException">The experts of a layer were rounded to a grid; no layer has
    /// changed.</exception>
    public IReadOnlyList<Parameter> Unfreeze()
    {
        foreach (SparseMixtureLayer layer in Values)
        {
            MixtureGuard.RequireTrainable(layer);
        }

        SparseMixtureLayer[] frozen = [.. Values.Where(layer => !layer.IsTrainable)];
        IReadOnlyList<SparseMixtureLayer> unpacked = Exchange(layer => layer.MakeUnpacked());
        try
        {
            return [.. Values.SelectMany(layer => layer.Unfreeze())];
        }
        catch
        {
            Array.ForEach(frozen, layer => layer.Freeze());
            foreach (SparseMixtureLayer layer in unpacked)
            {
                layer.Pack();
            }

            throw;
        }
    }

    /// <summary>Ends the training of all layers, see <see cref="SparseMixtureLayer.Freeze"/>.</summary>
    /// <returns>This collection.</returns>
    public MixtureCollection Freeze()
    {
        foreach (SparseMixtureLayer layer in Values)
        {
            layer.Freeze();
        }

        return this;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, SparseMixtureLayer>> GetEnumerator() => _layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Makes all new storages before the first layer takes one.</summary>
    /// <returns>The layers that were changed.</returns>
    private List<SparseMixtureLayer> Exchange(Func<SparseMixtureLayer, ExpertWeights?> make)
    {
        var made = new List<(SparseMixtureLayer Layer, ExpertWeights Experts)>();
        try
        {
            foreach (SparseMixtureLayer layer in Values)
            {
                if (make(layer) is { } experts)
                {
                    made.Add((layer, experts));
                }
            }
        }
        catch
        {
            made.ForEach(entry => entry.Experts.Dispose());
            throw;
        }

        return [.. made.Select(entry => entry.Layer.Exchange(entry.Experts))];
    }

    private static void Visit(nn.Module parent, string prefix, List<(string, SparseMixtureLayer)> found)
    {
        foreach ((string name, nn.Module child) in parent.named_children())
        {
            string path = prefix.Length == 0 ? name : $"{prefix}.{name}";
            if (child is SparseMixtureLayer mixture)
            {
                bool hooked = parent is Linear && name == HookedNames.Child;
                string place = prefix.Length > 0 ? prefix : HookedNames.Root;
                found.Add((hooked ? place : path, mixture));
            }
            else
            {
                Visit(child, path, found);
            }
        }
    }
}
