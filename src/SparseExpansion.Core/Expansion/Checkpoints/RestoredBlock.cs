using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>
/// Data that a store holds of a finished block besides its mixtures. Disposing it disposes the tensors.
/// </summary>
internal sealed class RestoredBlock(BlockDescription description, StoredBlock stored) : IDisposable
{
    public BlockDescription Description => description;

    /// <summary>A tensor that a part of the expansion has stored; null where there is none of that name.</summary>
    public Tensor? Find(string name) => stored.Tensors.GetValueOrDefault(name);

    public void Dispose() => stored.Dispose();
}
