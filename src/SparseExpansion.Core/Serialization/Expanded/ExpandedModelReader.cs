using SparseExpansion.Internal;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Reads the folder of an expanded model: first builds all mixtures and checks all names, then changes the model.</summary>
internal sealed class ExpandedModelReader : IDisposable
{
    private readonly RouterKinds _kinds;
    private readonly ExpandedIndex _index;
    private readonly SafetensorsReader _model;
    private readonly SafetensorsReader _experts;

    public ExpandedModelReader(string folder, RouterKinds kinds)
    {
        _kinds = kinds;
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
        try
        {
            BuildMixtures(slots, replacements);
            Dictionary<string, Tensor> rest = CheckRest(model, replacements);
            replacements.ForEach(replacement => replacement.Install());
            foreach ((string name, Tensor tensor) in rest)
            {
                using Tensor values = _model.Read(name);
                tensor.copy_(values);
            }
        }
        catch
        {
            Replacement.UndoAll(replacements);
            throw;
        }

        replacements.ForEach(replacement => replacement.Slot.ReleaseDense());
    }

    private void BuildMixtures(Dictionary<string, ModuleSlot> slots, List<Replacement> replacements)
    {
        var routers = new SharedRouter?[_index.Routers.Count];
        foreach (ExpandedLayerEntry entry in _index.Layers)
        {
            ModuleSlot slot = slots.GetValueOrDefault(entry.Name)
                ?? throw Misfit($"layer '{entry.Name}' is no linear of the model");
            var linear = (Linear)slot.Dense;
            if (linear.in_features != entry.InFeatures || linear.out_features != entry.OutFeatures || linear.bias is not null != entry.Bias)
            {
                throw Misfit(
                    $"layer '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}] with bias {entry.Bias}, "
                    + $"the model's is [{linear.out_features}, {linear.in_features}] with bias {linear.bias is not null}");
            }

            SharedRouter router = routers[entry.Router] ??= new SharedRouter(ReadRouter(entry.Router, linear.weight!.device));
            replacements.Add(new Replacement(slot, ReadMixture(entry, router, linear.weight!)));
        }
    }

    private IRouter ReadRouter(int index, Device device)
    {
        ExpandedRouterEntry entry = _index.Routers[index];
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = entry.Tensors.ToDictionary(
            name => name, name => _experts.Read(ExpandedTensorNames.Router(index, name), device));
        return _kinds.Restore(new RouterState(entry.Kind, entry.InputFeatures, entry.Experts, tensors));
    }

    /// <summary>The mixture in dtype and on device of the dense weight that it stands for.</summary>
    private SparseMixtureLayer ReadMixture(ExpandedLayerEntry entry, SharedRouter router, Tensor dense)
    {
        using var scope = NewDisposeScope();
        string prefix = ExpandedTensorNames.Expert(entry.Name, "");
        Dictionary<string, Tensor> tensors = _experts.Entries.Keys
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[prefix.Length..], name => _experts.Read(name));
        ExpertWeights experts = ExpertStorage.Restore(entry.Storage, entry.Name, entry.Experts, entry.OutFeatures, entry.InFeatures, tensors);
        try
        {
            experts = experts.ConvertTo(dense.dtype, dense.device);
            Tensor? bias = entry.Bias ? _experts.Read(ExpandedTensorNames.Bias(entry.Name), dense.device).to(dense.dtype) : null;
            return new SparseMixtureLayer(entry.Name, router, experts, bias);
        }
        catch
        {
            experts.Dispose();
            throw;
        }
    }

    /// <summary>The model's remaining tensors, each of which the file must have in the same shape, and no other.</summary>
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
                    $"{_model.FilePath}: tensor '{name}' is [{string.Join(", ", stored.Shape)}], the model's is [{string.Join(", ", tensor.shape)}].");
            }
        }

        string? extra = _model.Entries.Keys.FirstOrDefault(name => !rest.ContainsKey(name));
        return extra is null ? rest : throw new CheckpointException($"{_model.FilePath}: tensor '{extra}' has no place in the model.");
    }

    private CheckpointException Misfit(string what) => new($"{_experts.FilePath}: {what}; the folder belongs to another architecture.");

    public void Dispose()
    {
        _model.Dispose();
        _experts.Dispose();
    }
}
