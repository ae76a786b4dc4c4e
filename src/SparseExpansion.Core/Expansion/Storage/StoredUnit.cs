using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>A finished block as an <see cref="IExpansionStore"/> keeps it. Disposing it disposes its tensors.</summary>
/// <param name="Description">JSON: layers, reports. Opaque to the store.</param>
/// <param name="Tensors">Experts, biases, routers and trained norms by name, on the CPU.</param>
/// <param name="Activations">What the block hands to the next one, batch by batch, on the CPU; none where the next one does not need it.</param>
public sealed record StoredUnit(string Description, IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyList<Tensor> Activations) : IDisposable
{
    /// <summary>Disposes the tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in Tensors.Values.Concat(Activations))
        {
            tensor.Dispose();
        }
    }
}
