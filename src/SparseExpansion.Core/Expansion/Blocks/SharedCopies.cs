using SparseExpansion.Internal.Torch;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>Copies of tensors in host memory, of which equal ones are kept once.</summary>
internal sealed class SharedCopies : IDisposable
{
    private readonly List<Tensor> _kept = [];

    /// <summary>
    /// The copy that is kept of a tensor: one that this batch or the one before it has used, or a new one.
    /// </summary>
    public Tensor Keep(Tensor tensor, List<Tensor> former, List<Tensor> used)
    {
        Tensor copy = tensor.detach().to(CPU, copy: true).DetachFromDisposeScope();
        if (used.Concat(former).FirstOrDefault(kept => Same(kept, copy)) is { } known)
        {
            copy.Dispose();
            copy = known;
        }
        else
        {
            _kept.Add(copy);
        }

        if (!used.Exists(kept => ReferenceEquals(kept, copy)))
        {
            used.Add(copy);
        }

        return copy;
    }

    /// <summary>True if dtype, shape and values are the same.</summary>
    public static bool Same(Tensor left, Tensor right) => left.dtype == right.dtype && TensorChecks.Equal(left, right);

    /// <summary>Frees all copies.</summary>
    public void Dispose() => _kept.ForEach(tensor => tensor.Dispose());
}
