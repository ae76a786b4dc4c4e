using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Makes mixtures from a file.</summary>
/// <param name="index">The layers.</param>
/// <param name="names">Names of all tensors of the file.</param>
/// <param name="open">A tensor of the file by name, for the current dispose scope; packed experts keep its
/// memory.</param>
/// <param name="kinds">Kinds of routers.</param>
/// <param name="source">The file, for messages.</param>
internal sealed class MixtureReader(
    ExpandedIndex index, IEnumerable<string> names, Func<string, Tensor> open, RouterKinds kinds, string source)
{
    /// <summary>Builds all mixtures, in the dtype and on the device of the dense weights that they replace.</summary>
    /// <param name="slots">The model's linears by module path.</param>
    /// <param name="replacements">Takes the mixtures one by one; the caller disposes them, after an error too.</param>
    /// <exception cref="CheckpointException">The file does not fit the model.</exception>
    public void Build(IReadOnlyDictionary<string, ModuleSlot> slots, List<Replacement> replacements)
    {
        var routers = new SharedRouter?[index.Routers.Count];
        try
        {
            Build(slots, routers, replacements);
        }
        catch
        {
            // Frees those that no layer was built on.
            foreach (SharedRouter? router in routers)
            {
                router?.Dispose();
            }

            throw;
        }
    }

    private void Build(
        IReadOnlyDictionary<string, ModuleSlot> slots, SharedRouter?[] routers, List<Replacement> replacements)
    {
        foreach (ExpandedLayerEntry entry in index.Layers)
        {
            ModuleSlot slot = slots.GetValueOrDefault(entry.Name)
                ?? throw Misfit($"layer '{entry.Name}' is not a linear layer of the model");
            var linear = (Linear)slot.Dense;
            if (linear.in_features != entry.InFeatures || linear.out_features != entry.OutFeatures
                || (linear.bias is not null != entry.Bias && !entry.ExpertBias))
            {
                throw Misfit(
                    $"layer '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}] with bias {entry.Bias}, "
                    + $"the model's is [{linear.out_features}, "
                    + $"{linear.in_features}] with bias {linear.bias is not null}");
            }

            SharedRouter router = routers[entry.Router] ??= new SharedRouter(ReadRouter(
                entry.Router, linear.weight!.device));
            replacements.Add(new Replacement(slot, ReadMixture(entry, router, linear.weight!)));
        }
    }

    /// <summary>The experts of one layer as they are stored; the caller disposes them.</summary>
    public ExpertWeights ReadExperts(ExpandedLayerEntry entry)
    {
        using var scope = NewDisposeScope();
        string prefix = ExpandedTensorNames.Expert(entry.Name, "");
        Dictionary<string, Tensor> tensors = names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[prefix.Length..], open);
        return Named(() =>
            ExpertStorage.Restore(
                entry.Storage, entry.Name, entry.Experts, entry.OutFeatures, entry.InFeatures, tensors));
    }

    private IRouter ReadRouter(int position, Device device)
    {
        ExpandedRouterEntry entry = index.Routers[position];
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = entry.Tensors.ToDictionary(
            name => name, name => open(ExpandedTensorNames.Router(position, name)).to(device));
        return Named(() => kinds.Restore(new RouterState(entry.Kind, entry.InputFeatures, entry.Experts, tensors)));
    }

    private SparseMixtureLayer ReadMixture(ExpandedLayerEntry entry, SharedRouter router, Tensor dense)
    {
        using var scope = NewDisposeScope();
        ExpertWeights experts = ReadExperts(entry);
        try
        {
            experts = experts.ConvertTo(dense.dtype, dense.device);
            Tensor? bias = entry.Bias
                ? open(ExpandedTensorNames.Bias(entry.Name)).to(dense.device).to(dense.dtype)
                : null;
            CheckBias(entry, bias);
            return new SparseMixtureLayer(entry.Name, router, experts, bias);
        }
        catch
        {
            experts.Dispose();
            throw;
        }
    }

    private void CheckBias(ExpandedLayerEntry entry, Tensor? bias)
    {
        long[] expected = entry.ExpertBias ? [entry.Experts, entry.OutFeatures] : [entry.OutFeatures];
        if (bias is not null && !bias.shape.SequenceEqual(expected))
        {
            throw new CheckpointException(
                $"{source}: tensor '{ExpandedTensorNames.Bias(entry.Name)}' is [{string.Join(", ", bias.shape)}], the index says [{string.Join(", ", expected)}].");
        }
    }

    /// <summary>Routers and layers do not know the file that they come from.</summary>
    private T Named<T>(Func<T> restore)
    {
        try
        {
            return restore();
        }
        catch (CheckpointException error)
        {
            throw new CheckpointException($"{source}: {PlainMessage.Clause(error)}", error);
        }
    }

    private CheckpointException Misfit(string what) =>
        new($"{source}: {what}; the folder belongs to another architecture.");
}
