using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;
using SparseExpansion.Layers.Surgery;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>
/// Reads the folder of an expanded model: first builds all mixtures and checks all names, then changes the model.
/// </summary>
internal sealed class ExpandedModelReader : IDisposable
{
    private readonly ExpandedLoadOptions _options;
    private readonly ExpandedIndex _index;
    private readonly SafetensorsReader _model;
    private readonly SafetensorsReader _experts;
    private readonly List<StoredRounding> _rounded = [];

    public ExpandedModelReader(string folder, ExpandedLoadOptions options)
    {
        _options = options;
        _index = ExpandedIndex.Read(folder);
        _model = SafetensorsReader.Open(Path.Combine(folder, ExpandedTensorNames.ModelFile));
        try
        {
            _experts = SafetensorsReader.Open(Path.Combine(folder, ExpandedTensorNames.ExpertsFile));
        }
        catch
        {
            _model.Dispose();
            throw;
        }
    }

    public void LoadInto(nn.Module model)
    {
        using var noGrad = no_grad();
        Dictionary<string, ModuleSlot> slots = SlotFinder.FindLinears(model).ToDictionary(slot => slot.Name);
        var replacements = new List<Replacement>();
        var changes = new ModelChanges();
        try
        {
            BuildMixtures(slots, replacements);
            foreach (ExpandedQuantizedEntry entry in _index.Quantized ?? [])
            {
                _rounded.Add(StoredRounding.Open(entry, _experts));
            }

            (Dictionary<string, Tensor> rest, Dictionary<string, Tensor> quantized) = CheckRest(model, replacements);
            replacements.ForEach(changes.Install);
            Decode(model, quantized);
            foreach ((string name, Tensor tensor) in rest)
            {
                _model.ReadInto(name, tensor);
            }
        }
        catch
        {
            changes.Undo();
            replacements.Skip(changes.Installed.Count).Select(replacement => replacement.Mixture).ToList()
                .ForEach(mixture => mixture.Dispose());
            throw;
        }

        changes.Keep();
    }

    private void BuildMixtures(Dictionary<string, ModuleSlot> slots, List<Replacement> replacements) =>
        new MixtureBuilder(new MixtureReader(
            _index, _experts.Entries.Keys, name => _options.MemoryMap ? _experts.Map(name) : _experts.Read(name),
            _options.Routers, _experts.FilePath))
            .Build(slots, replacements);

    /// <summary>
    /// The model's remaining tensors, each of which the file must have in the same shape, and no other.
    /// </summary>
    /// <returns>The tensors, and those that are stored in codes.</returns>
    private (Dictionary<string, Tensor> Plain, Dictionary<string, Tensor> Quantized) CheckRest(
        nn.Module model, IEnumerable<Replacement> replacements)
    {
        Dictionary<string, Tensor> rest = MixturePlace.DenseState(
            model, replacements.Select(replacement => new MixturePlace(replacement.Slot.Name, replacement.Mixture)));
        Dictionary<string, Tensor> quantized = TakeQuantized(rest);
        foreach ((string name, Tensor tensor) in rest)
        {
            if (!_model.Entries.TryGetValue(name, out SafetensorsEntry? stored))
            {
                throw new CheckpointException($"{_model.FilePath}: tensor '{name}' of the model is missing.");
            }

            if (!stored.Shape.SequenceEqual(tensor.shape))
            {
                throw new CheckpointException(
                    $"{_model.FilePath}: tensor '{name}' is [{string.Join(", ", stored.Shape)}], "
                    + $"the model's is [{string.Join(", ", tensor.shape)}].");
            }
        }

        string? extra = _model.Entries.Keys.FirstOrDefault(name => !rest.ContainsKey(name));
        return extra is null
            ? (rest, quantized)
            : throw new CheckpointException($"{_model.FilePath}: tensor '{extra}' has no place in the model.");
    }

    /// <summary>Takes the tensors that are stored in codes out of the others.</summary>
    private Dictionary<string, Tensor> TakeQuantized(Dictionary<string, Tensor> rest)
    {
        var quantized = new Dictionary<string, Tensor>();
        foreach (StoredRounding stored in _rounded)
        {
            ExpandedQuantizedEntry entry = stored.Entry;
            if (!rest.Remove(ExpandedTensorNames.Weight(entry.Name), out Tensor? tensor))
            {
                throw new CheckpointException($"{_experts.FilePath}: quantized weight '{entry.Name}' has no place in the model.");
            }

            if (!tensor.shape.SequenceEqual([entry.OutFeatures, entry.InFeatures]))
            {
                throw new CheckpointException(
                    $"{_experts.FilePath}: quantized weight '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}], "
                    + $"the model's is [{string.Join(", ", tensor.shape)}].");
            }

            quantized.Add(entry.Name, tensor);
        }

        return quantized;
    }

    private void Decode(nn.Module model, Dictionary<string, Tensor> targets)
    {
        if (_rounded.Count == 0)
        {
            return;
        }

        Dictionary<string, nn.Module> modules = model.named_modules().ToDictionary(entry => entry.name, entry => entry.module);
        foreach (StoredRounding stored in _rounded)
        {
            stored.CopyTo(targets[stored.Entry.Name]);
            if (modules.TryGetValue(stored.Entry.Name, out nn.Module? module))
            {
                stored.Attach(module);
            }
        }
    }

    public void Dispose()
    {
        _rounded.ForEach(stored => stored.Dispose());
        _model.Dispose();
        _experts.Dispose();
    }
}
