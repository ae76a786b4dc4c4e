using SparseExpansion.Execution.Expanded;
using SparseExpansion.Layers;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Mixtures as files hold them: an index and named tensors. To be disposed when they are written.</summary>
internal sealed class MixtureBundle : IDisposable
{
    private readonly List<StoredExperts> _stored;

    /// <param name="index">The layers, and the way in which they are stored.</param>
    /// <param name="tensors">Experts, biases and routers.</param>
    /// <param name="stored">Owners of the memory of some of the tensors.</param>
    private MixtureBundle(
        ExpandedIndex index, IReadOnlyDictionary<string, TensorSource> tensors, List<StoredExperts> stored) =>
        (Index, Tensors, _stored) = (index, tensors, stored);

    /// <summary>The layers, and the way in which they are stored.</summary>
    public ExpandedIndex Index { get; }

    /// <summary>Experts, biases and routers.</summary>
    public IReadOnlyDictionary<string, TensorSource> Tensors { get; }

    /// <summary>
    /// Describes mixtures; their tensors stay theirs. To be called in a dispose scope that lives as long as the bundle.
    /// </summary>
    /// <param name="layers">The mixtures.</param>
    /// <param name="formatOf">The format of the experts of each.</param>
    /// <exception cref="SparseExpansionException">A router cannot be saved, or experts cannot be packed.</exception>
    public static MixtureBundle Of(
        IReadOnlyList<SparseMixtureLayer> layers, Func<SparseMixtureLayer, ExpertFormat> formatOf)
    {
        SharedRouter[] routers = [.. layers.Select(layer => layer.InputGroup).Distinct()];
        RouterState[] states = [.. routers.Select(router => StateOf(router, layers))];
        var stored = new List<StoredExperts>();
        try
        {
            stored.AddRange(layers.Select(layer => StoredExperts.Of(layer.Name, layer.Experts, formatOf(layer))));
            return new MixtureBundle(
                CreateIndex(layers, routers, stored, states), CollectTensors(layers, stored, states), stored);
        }
        catch
        {
            stored.ForEach(experts => experts.Dispose());
            throw;
        }
    }

    public void Dispose()
    {
        foreach (StoredExperts experts in _stored)
        {
            experts.Dispose();
        }
    }

    private static ExpandedIndex CreateIndex(
        IReadOnlyList<SparseMixtureLayer> layers, SharedRouter[] routers, List<StoredExperts> stored,
        IEnumerable<RouterState> states) => new()
        {
            Format = ExpandedIndex.FormatName,
            Version = ExpandedIndex.CurrentVersion,
            Routers =
                [.. states.Select(state => new ExpandedRouterEntry(
                    state.Kind, state.InputFeatures, state.ExpertCount, [.. state.Tensors.Keys]))],
            Layers = [.. layers.Zip(stored, (layer, experts) => EntryOf(layer, routers, experts.Kind))],
        };

    private static ExpandedLayerEntry EntryOf(SparseMixtureLayer layer, SharedRouter[] routers, string kind) => new(
        layer.Name, Array.IndexOf(routers, layer.InputGroup), layer.ExpertCount, layer.InFeatures, layer.OutFeatures,
        layer.HasBias, kind, layer.HasExpertBias);

    private static Dictionary<string, TensorSource> CollectTensors(
        IReadOnlyList<SparseMixtureLayer> layers, List<StoredExperts> stored, RouterState[] states)
    {
        var tensors = new Dictionary<string, TensorSource>();
        foreach ((SparseMixtureLayer layer, StoredExperts experts) in layers.Zip(stored))
        {
            foreach ((string name, TensorSource tensor) in experts.Tensors)
            {
                tensors.Add(ExpandedTensorNames.Expert(layer.Name, name), tensor);
            }

            if (layer.Bias is not null)
            {
                string name = ExpandedTensorNames.Bias(layer.Name);
                tensors.Add(name, TensorSource.Of(name, layer.Bias));
            }
        }

        for (int r = 0; r < states.Length; r++)
        {
            foreach ((string name, Tensor tensor) in states[r].Tensors)
            {
                tensors.Add(ExpandedTensorNames.Router(r, name), TensorSource.Of(name, tensor));
            }
        }

        return tensors;
    }

    private static RouterState StateOf(SharedRouter router, IReadOnlyList<SparseMixtureLayer> layers) =>
        router.Router is ICheckpointRouter checkpoint
            ? checkpoint.GetState()
            : throw new SparseExpansionException(
                $"Layer '{layers.First(layer => layer.InputGroup == router).Name}' has a router of type "
                + $"{router.Router.GetType().Name}, "
                + $"which cannot be saved. Implement {nameof(ICheckpointRouter)}.");
}
