using SparseExpansion.Layers;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>The experts of one layer as a checkpoint is to hold them. To be disposed when they are written.</summary>
/// <param name="kind">Name of the layout.</param>
/// <param name="tensors">By name in the layout.</param>
/// <param name="owned">The owner of the tensors' memory, if it is not the model.</param>
internal sealed class StoredExperts(
    string kind, IReadOnlyDictionary<string, TensorSource> tensors, IDisposable? owned) : IDisposable
{
    /// <summary>Name of the layout.</summary>
    public string Kind => kind;

    /// <summary>The tensors by name in the layout.</summary>
    public IReadOnlyDictionary<string, TensorSource> Tensors => tensors;

    /// <summary>The owner of the tensors' memory, if it is not the model.</summary>
    public IDisposable? Owned => owned;

    /// <summary>
    /// The name of a format's layout, or of the one for full precision; null for <see cref="ExpertFormat.Unchanged"/>.
    /// </summary>
    public static string? KindOf(ExpertFormat format) => format switch
    {
        ExpertFormat.Packed => PackedExperts.Kind,
        ExpertFormat.Dense => MaskedDenseExperts.Kind,
        _ => null,
    };

    /// <summary>
    /// Experts of a model in a format. Packing is done here; dense weights are
    /// made while they are written, one expert at a time.
    /// </summary>
    /// <exception cref="SparseExpansionException">The dtype cannot be packed.</exception>
    public static StoredExperts Of(string layer, ExpertWeights experts, ExpertFormat format)
    {
        experts.Verify(layer);
        string kind = KindOf(format) ?? experts.StorageKind;
        if (kind == experts.StorageKind || (kind == PackedExperts.Kind && experts is PackedExperts))
        {
            return new StoredExperts(experts.StorageKind, Sources(experts), null);
        }

        if (kind == MaskedDenseExperts.Kind)
        {
            var source = new TensorSource(
                experts.DType, [experts.Count, experts.OutFeatures, experts.InFeatures], () => DenseParts(experts));
            return new StoredExperts(
                kind, new Dictionary<string, TensorSource> { [MaskedDenseExperts.WeightName] = source }, null);
        }

        if (!PackedExperts.Supports(experts.DType))
        {
            throw new SparseExpansionException(
                $"The experts of layer '{layer}' are {experts.DType}; only float32 and bfloat16 can be packed. "
                + $"Store them as {ExpertFormat.Dense}, or convert the model.");
        }

        PackedExperts packed = PackedExperts.Pack(experts);
        return new StoredExperts(packed.StorageKind, Sources(packed), packed);
    }

    public void Dispose() => Owned?.Dispose();

    private static Dictionary<string, TensorSource> Sources(ExpertWeights experts) =>
        experts.Tensors.ToDictionary(entry => entry.Key, entry => TensorSource.Of(entry.Key, entry.Value));

    private static IEnumerable<Tensor> DenseParts(ExpertWeights experts)
    {
        for (int expert = 0; expert < experts.Count; expert++)
        {
            using Tensor weight = experts.ToDense(expert);
            yield return weight;
        }
    }
}
