using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>A finished block as an <see cref="IExpansionStore"/> keeps it. Disposing it disposes its tensors.</summary>
/// <param name="description">JSON: layers, reports. Opaque to the store.</param>
/// <param name="tensors">
/// Experts, biases, routers and what parts of the expansion trained besides them, by name, on the CPU.
/// </param>
/// <param name="activations">
/// Outputs of the block for the next one, batch by batch, on the CPU; none where that does not need them.
/// </param>
public sealed class StoredBlock(string description, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyList<Tensor> activations) : IDisposable
{
    /// <summary>JSON: layers, reports. Opaque to the store.</summary>
    public string Description { get; } = description;

    /// <summary>
    /// Experts, biases, routers and what parts of the expansion trained besides them, by name, on the CPU.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; } = tensors;

    /// <summary>
    /// Outputs of the block for the next one, batch by batch, on the CPU; none where that does not need them.
    /// </summary>
    public IReadOnlyList<Tensor> Activations { get; } = activations;

    /// <summary>Disposes the tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in Tensors.Values.Concat(Activations))
        {
            tensor.Dispose();
        }
    }
}
