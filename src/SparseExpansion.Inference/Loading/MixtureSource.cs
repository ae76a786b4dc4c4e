using SparseExpansion.Execution;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Inference.Linears;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Loading;

/// <summary>The mixtures and the weights in codes of an expanded folder, by module path.</summary>
internal sealed class MixtureSource
{
    private readonly ExpandedIndex _index;
    private readonly TensorFiles _files;
    private readonly string _path;
    private readonly Dictionary<string, ExpandedLayerEntry> _layers;
    private readonly Dictionary<string, ExpandedQuantizedEntry> _quantized;
    private readonly TokenRouter?[] _routers;

    /// <param name="index">The layers.</param>
    /// <param name="files">The folder's files.</param>
    /// <param name="path">The file of experts, for messages.</param>
    public MixtureSource(ExpandedIndex index, TensorFiles files, string path)
    {
        (_index, _files, _path) = (index, files, path);
        _layers = index.Layers.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        _quantized = new Dictionary<string, ExpandedQuantizedEntry>(StringComparer.Ordinal);
        foreach (ExpandedQuantizedEntry entry in index.Quantized ?? [])
        {
            if (!_quantized.TryAdd(entry.Name, entry) || _layers.ContainsKey(entry.Name))
            {
                throw Misfit($"layer '{entry.Name}' stands in the index twice");
            }
        }

        _routers = new TokenRouter?[index.Routers.Count];
    }

    /// <summary>The routers of the layers that were taken.</summary>
    public IEnumerable<TokenRouter> Routers => _routers.OfType<TokenRouter>();

    /// <summary>A mixture; null if the layer is none.</summary>
    /// <param name="name">Module path.</param>
    /// <param name="outFeatures">Rows of the layer.</param>
    /// <param name="inFeatures">Columns of the layer.</param>
    /// <param name="bias">True if the layer has a bias.</param>
    /// <exception cref="CheckpointException">The files do not fit the model, or are damaged.</exception>
    public MixtureLinear? TakeMixture(string name, int outFeatures, int inFeatures, bool bias)
    {
        if (!_layers.Remove(name, out ExpandedLayerEntry? entry))
        {
            return null;
        }

        if (entry.InFeatures != inFeatures || entry.OutFeatures != outFeatures || (entry.Bias != bias && !entry.ExpertBias))
        {
            throw Misfit(
                $"layer '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}] with bias {entry.Bias}, "
                + $"the model's is [{outFeatures}, {inFeatures}] with bias {bias}");
        }

        TokenRouter router = _routers[entry.Router] ??= Named(
            $"router {entry.Router}", () => RouterReader.Read(_index.Routers[entry.Router], entry.Router, _files));
        NativeArray? shared = entry.Bias ? ReadBias(entry) : null;
        PackedWeight[] experts = Named($"layer '{name}'", () => ExpertReader.Read(entry, _files));
        return new MixtureLinear(router, new PackedExperts(experts), shared);
    }

    /// <summary>A weight in codes; null if the layer has none.</summary>
    /// <param name="name">Module path of the linear or embedding.</param>
    /// <param name="outFeatures">Rows.</param>
    /// <param name="inFeatures">Columns.</param>
    /// <exception cref="CheckpointException">The files do not fit the model, or are damaged.</exception>
    public QuantizedWeight? TakeQuantized(string name, int outFeatures, int inFeatures)
    {
        if (!_quantized.Remove(name, out ExpandedQuantizedEntry? entry))
        {
            return null;
        }

        if (entry.InFeatures != inFeatures || entry.OutFeatures != outFeatures)
        {
            throw Misfit(
                $"layer '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}], the model's is [{outFeatures}, {inFeatures}]");
        }

        return Named($"layer '{name}'", () => QuantizedWeight.FromArrays(
            _files.Take($"{name}.codes"),
            new PackedGrid(
                entry.Bits, entry.GroupSize == 0 ? null : entry.GroupSize, outFeatures, inFeatures,
                _files.Take($"{name}.scales"), _files.Take($"{name}.zeros"))));
    }

    /// <summary>Checks that the model had a place for every layer of the index.</summary>
    /// <exception cref="CheckpointException">It had not.</exception>
    public void RequireNothingLeft()
    {
        if (_layers.Keys.Concat(_quantized.Keys).Order(StringComparer.Ordinal).FirstOrDefault() is { } name)
        {
            throw Misfit($"layer '{name}' is not a linear layer of the model");
        }
    }

    private NativeArray ReadBias(ExpandedLayerEntry entry)
    {
        string name = ExpandedTensorNames.Bias(entry.Name);
        using NativeArray stored = entry.ExpertBias
            ? _files.Take(name, entry.Experts, entry.OutFeatures)
            : _files.Take(name, entry.OutFeatures);
        return FloatNumbers.IsFloating(stored.Type)
            ? FloatNumbers.Copy(stored)
            : throw new CheckpointException($"{_path}: tensor '{name}' is {stored.Type}, not a floating type.");
    }

    /// <summary>Packed weights do not know the file and layer that they come from.</summary>
    private T Named<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is CheckpointException or ArgumentException)
        {
            throw new CheckpointException($"{_path}: {what}: {PlainMessage.Clause(error)}", error);
        }
    }

    private CheckpointException Misfit(string what) =>
        new($"{_path}: {what}; the folder belongs to another architecture.");
}
