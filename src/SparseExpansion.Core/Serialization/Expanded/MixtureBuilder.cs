using SparseExpansion.Execution.Expanded;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using TorchSharp.Modules;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Builds the mixtures of a file for the places that they have in a model.</summary>
/// <param name="reader">Reads the file.</param>
internal sealed class MixtureBuilder(MixtureReader reader)
{
    /// <summary>Builds all mixtures, in the dtype and on the device of the dense weights that they replace.</summary>
    /// <param name="slots">The model's linears by module path.</param>
    /// <param name="replacements">Takes the mixtures one by one; the caller disposes them, after an error too.</param>
    /// <exception cref="CheckpointException">The file does not fit the model.</exception>
    public void Build(IReadOnlyDictionary<string, ModuleSlot> slots, List<Replacement> replacements)
    {
        var routers = new SharedRouter?[reader.Index.Routers.Count];
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
        foreach (ExpandedLayerEntry entry in reader.Index.Layers)
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

            SharedRouter router = routers[entry.Router] ??= new SharedRouter(
                reader.ReadRouter(entry.Router, linear.weight!.device));
            replacements.Add(new Replacement(slot, reader.ReadMixture(entry, router, linear.weight!)));
        }
    }

    private CheckpointException Misfit(string what) =>
        new($"{reader.Source}: {what}; the folder belongs to another architecture.");
}
