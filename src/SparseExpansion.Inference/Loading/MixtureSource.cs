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

    /// <summary>Notes what is wrong with a mixture; false if the layer is none.</summary>
    /// <param name="name">Module path.</param>
    /// <param name="outFeatures">Rows of the layer.</param>
    /// <param name="inFeatures">Columns of the layer.</param>
    /// <param name="bias">True if the layer has a bias.</param>
    /// <param name="faults">Receives the faults.</param>
    public bool CheckMixture(string name, int outFeatures, int inFeatures, bool bias, TensorFaults faults)
    {
        if (!_layers.TryGetValue(name, out ExpandedLayerEntry? entry))
        {
            return false;
        }

        if (entry.InFeatures != inFeatures || entry.OutFeatures != outFeatures
            || (entry.ExpertBias ? !entry.Bias : entry.Bias != bias))
        {
            faults.Add(Misfit(
                $"layer '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}] with bias {entry.Bias}, "
                + $"the model's is [{outFeatures}, {inFeatures}] with bias {bias}").Message);
            return true;
        }

        CheckRouter(entry, faults);
        if (entry.Bias)
        {
            string stored = ExpandedTensorNames.Bias(name);
            Check([entry.ExpertBias
                ? TensorNeed.Floating(stored, entry.Experts, entry.OutFeatures)
                : TensorNeed.Floating(stored, entry.OutFeatures)], faults);
        }

        CheckExperts(entry, faults);
        return true;
    }

    /// <summary>Notes what is wrong with a weight in codes; false if the layer has none.</summary>
    /// <param name="name">Module path of the linear or embedding.</param>
    /// <param name="outFeatures">Rows.</param>
    /// <param name="inFeatures">Columns.</param>
    /// <param name="faults">Receives the faults.</param>
    public bool CheckQuantized(string name, int outFeatures, int inFeatures, TensorFaults faults)
    {
        if (!_quantized.TryGetValue(name, out ExpandedQuantizedEntry? entry))
        {
            return false;
        }

        if (entry.InFeatures != inFeatures || entry.OutFeatures != outFeatures)
        {
            faults.Add(Misfit(
                $"layer '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}], the model's is [{outFeatures}, {inFeatures}]").Message);
            return true;
        }

        Check(
            [
                TensorNeed.Array(ExpandedTensorNames.Codes(name), ElementType.Byte),
                TensorNeed.Array(ExpandedTensorNames.Scales(name), ElementType.BFloat16),
                TensorNeed.Array(ExpandedTensorNames.Zeros(name), ElementType.Byte),
            ],
            faults);
        return true;
    }

    /// <summary>A mixture that was checked; null if the layer is none.</summary>
    /// <param name="name">Module path.</param>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public MixtureLinear? TakeMixture(string name)
    {
        if (!_layers.Remove(name, out ExpandedLayerEntry? entry))
        {
            return null;
        }

        TokenRouter router = _routers[entry.Router] ??= RouterReader.Read(
            _index.Routers[entry.Router], entry.Router, _files);
        PackedWeight[] experts = Named(name, () => ExpertReader.Read(entry, _files));
        try
        {
            return new MixtureLinear(router, new PackedExperts(experts), entry.Bias ? ReadBias(entry) : null);
        }
        catch
        {
            Array.ForEach(experts, expert => expert.Dispose());
            throw;
        }
    }

    /// <summary>A weight in codes that was checked; null if the layer has none.</summary>
    /// <param name="name">Module path of the linear or embedding.</param>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public QuantizedWeight? TakeQuantized(string name)
    {
        if (!_quantized.Remove(name, out ExpandedQuantizedEntry? entry))
        {
            return null;
        }

        return Named(name, () => QuantizedWeight.FromArrays(
            _files.Take(ExpandedTensorNames.Codes(name)),
            new PackedGrid(
                entry.Bits, entry.GroupSize == 0 ? null : entry.GroupSize, (int)entry.OutFeatures,
                (int)entry.InFeatures, _files.Take(ExpandedTensorNames.Scales(name)),
                _files.Take(ExpandedTensorNames.Zeros(name)))));
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

    private void CheckRouter(ExpandedLayerEntry layer, TensorFaults faults)
    {
        ExpandedRouterEntry entry = _index.Routers[layer.Router];
        if (RouterReader.Needs(entry, layer.Router) is { } needs)
        {
            Check(needs, faults);
            return;
        }

        faults.Add(
            $"{_path}: layer '{layer.Name}': its router {layer.Router} is of the kind '{entry.Kind}' with {entry.Experts} experts; "
            + $"the managed engine knows the kinds {RouterReader.Known}. Load the folder with the torch engine, which takes routers of your own.");
    }

    private void CheckExperts(ExpandedLayerEntry entry, TensorFaults faults)
    {
        if (ExpertReader.Needs(entry) is not { } needs)
        {
            faults.Add($"{_path}: layer '{entry.Name}': the experts are stored as '{entry.Storage}', which this version does not know.");
        }
        else if (ExpertReader.IsPacked(entry) && entry.Experts > _files.Count)
        {
            // Their names alone could be more than the memory holds.
            faults.Add($"{_path}: layer '{entry.Name}' has {entry.Experts} experts; the files hold {_files.Count} tensors, and each expert has several.");
        }
        else
        {
            Check(needs, faults);
        }
    }

    private void Check(IEnumerable<TensorNeed> needs, TensorFaults faults)
    {
        foreach (TensorNeed need in needs)
        {
            faults.Check(need, _path);
        }
    }

    private NativeArray ReadBias(ExpandedLayerEntry entry)
    {
        using NativeArray stored = _files.Take(ExpandedTensorNames.Bias(entry.Name));
        return FloatNumbers.Copy(stored);
    }

    /// <summary>Packed weights do not know the file and layer that they come from.</summary>
    private T Named<T>(string layer, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is CheckpointException or ArgumentException)
        {
            throw new CheckpointException($"{_path}: layer '{layer}': {PlainMessage.Clause(error)}", error);
        }
    }

    private CheckpointException Misfit(string what) =>
        new($"{_path}: {what}; the folder belongs to another architecture.");
}
