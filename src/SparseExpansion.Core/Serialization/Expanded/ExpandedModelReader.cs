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
            Dictionary<string, Tensor> rest = CheckRest(model, replacements);
            replacements.ForEach(changes.Install);
            foreach ((string name, Tensor tensor) in rest)
            {
                using Tensor values = _model.Read(name);
                tensor.copy_(values);
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
    private Dictionary<string, Tensor> CheckRest(nn.Module model, IEnumerable<Replacement> replacements)
    {
        Dictionary<string, Tensor> rest = MixturePlace.DenseState(
            model, replacements.Select(replacement => new MixturePlace(replacement.Slot.Name, replacement.Mixture)));
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
            ? rest
            : throw new CheckpointException($"{_model.FilePath}: tensor '{extra}' has no place in the model.");
    }

    public void Dispose()
    {
        _model.Dispose();
        _experts.Dispose();
    }
}
