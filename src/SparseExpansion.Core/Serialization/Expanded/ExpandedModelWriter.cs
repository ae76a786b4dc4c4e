using SparseExpansion.Internal;
using SparseExpansion.Layers;
using SparseExpansion.Routing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Writes the folder of an expanded model.</summary>
internal static class ExpandedModelWriter
{
    public static void Write(nn.Module model, string folder, bool overwrite, Action<string>? addFiles)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        IReadOnlyList<MixturePlace> places = MixturePlace.Find(model);
        SharedRouter[] routers = [.. places.Select(place => place.Layer.InputGroup).Distinct()];
        RouterState[] states = [.. routers.Select(router => StateOf(router, places))];
        using AtomicFolder output = AtomicFolder.Create(folder, overwrite);
        SafetensorsWriter.Write(Path.Combine(output.Path, ExpandedTensorNames.ModelFile), MixturePlace.DenseState(model, places));
        SafetensorsWriter.Write(Path.Combine(output.Path, ExpandedTensorNames.ExpertsFile), ExpertTensors(places, states));
        CreateIndex(places, routers, states).Write(output.Path);
        addFiles?.Invoke(output.Path);
        output.Commit();
    }

    private static ExpandedIndex CreateIndex(IEnumerable<MixturePlace> places, SharedRouter[] routers, IEnumerable<RouterState> states) => new()
    {
        Format = ExpandedIndex.FormatName,
        Version = ExpandedIndex.CurrentVersion,
        Routers = [.. states.Select(state => new ExpandedRouterEntry(state.Kind, state.InputFeatures, state.ExpertCount, [.. state.Tensors.Keys]))],
        Layers = [.. places.Select(place => place.Layer).Select(layer => new ExpandedLayerEntry(
            layer.Name, Array.IndexOf(routers, layer.InputGroup), layer.ExpertCount, layer.InFeatures, layer.OutFeatures, layer.HasBias, layer.Experts.StorageKind))],
    };

    private static Dictionary<string, Tensor> ExpertTensors(IEnumerable<MixturePlace> places, RouterState[] states)
    {
        var tensors = new Dictionary<string, Tensor>();
        foreach (SparseMixtureLayer layer in places.Select(place => place.Layer))
        {
            foreach ((string name, Tensor tensor) in layer.Experts.Tensors)
            {
                tensors.Add(ExpandedTensorNames.Expert(layer.Name, name), tensor);
            }

            if (layer.Bias is not null)
            {
                tensors.Add(ExpandedTensorNames.Bias(layer.Name), layer.Bias);
            }
        }

        for (int r = 0; r < states.Length; r++)
        {
            foreach ((string name, Tensor tensor) in states[r].Tensors)
            {
                tensors.Add(ExpandedTensorNames.Router(r, name), tensor);
            }
        }

        return tensors;
    }

    private static RouterState StateOf(SharedRouter router, IReadOnlyList<MixturePlace> places) =>
        router.Router is ICheckpointRouter checkpoint
            ? checkpoint.GetState()
            : throw new SparseExpansionException(
                $"Layer '{places.First(place => place.Layer.InputGroup == router).Layer.Name}' has a router of type {router.Router.GetType().Name}, "
                + $"which cannot be saved. Implement {nameof(ICheckpointRouter)}.");
}
