using SparseExpansion.Execution.Expanded;
using SparseExpansion.Internal.Files;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Writes the folder of an expanded model.</summary>
internal static class ExpandedModelWriter
{
    public static void Write(
        nn.Module model, string folder, bool overwrite, Action<string>? addFiles, ExpertFormat format)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        IReadOnlyList<MixturePlace> places = MixturePlace.Find(model);
        foreach (MixturePlace place in places)
        {
            place.RequireNamedByPath();
        }

        using AtomicFolder output = AtomicFolder.Create(folder, overwrite);
        Dictionary<string, Tensor> state = MixturePlace.DenseState(model, places);
        IReadOnlyList<RoundedPlace> rounded = format == ExpertFormat.Dense ? [] : RoundedPlace.Find(model, state);
        foreach (RoundedPlace place in rounded)
        {
            state.Remove(ExpandedTensorNames.Weight(place.Name));
        }

        SafetensorsWriter.Write(Path.Combine(output.Path, ExpandedTensorNames.ModelFile), state);
        using (MixtureBundle bundle = MixtureBundle.Of([.. places.Select(place => place.Layer)], _ => format))
        {
            SafetensorsWriter.WriteSources(
                Path.Combine(output.Path, ExpandedTensorNames.ExpertsFile),
                bundle.Tensors.Concat(rounded.SelectMany(place => place.Sources())).ToDictionary());
            ExpandedQuantizedEntry[] entries = [.. rounded.Select(place => place.Entry)];
            (bundle.Index with { Quantized = entries.Length == 0 ? null : entries }).Write(output.Path);
        }

        addFiles?.Invoke(output.Path);
        output.Commit();
    }
}
