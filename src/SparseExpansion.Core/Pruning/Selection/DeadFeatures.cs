using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Selection;

/// <summary>
/// Weights of input features that no token uses. They cost nothing where they go, so pruners set them to zero first;
/// but where they are more than the target lets go, as where all inputs are
/// zero, some of them stay: the target is exact.
/// </summary>
internal static class DeadFeatures
{
    /// <summary>Puts back as many weights of dead features as the target keeps, those of largest magnitude.</summary>
    /// <param name="pruned">P, [k, rows, d], float32, zero in all dead columns.</param>
    /// <param name="dense">W, [rows, d], float32.</param>
    /// <param name="dead">bool [k, d].</param>
    /// <param name="select">From scores [k, rows, d], float32, at least 0, the weights that
    /// the target lets go, bool: those of the lowest.</param>
    /// <returns>[k, rows, d]; <paramref name="pruned"/> itself where no more is zero than the target says.</returns>
    public static Tensor Keep(Tensor pruned, Tensor dense, Tensor dead, Func<Tensor, Tensor> select)
    {
        using var scope = NewDisposeScope();
        if (!dead.any().item<bool>())
        {
            return pruned;
        }

        // What is pruned already goes first, then dead weights from the smallest on; what is kept and alive goes last.
        Tensor columns = dead.unsqueeze(1), magnitude = dense.abs();
        Tensor share = magnitude / magnitude.max().clamp_min(Scalars.Of(1e-30f));
        Tensor scores = where(
            columns, share.unsqueeze(0), pruned.ne(Scalars.Of(0)).to(ScalarType.Float32) * Scalars.Of(2));
        Tensor returning = columns.logical_and(select(scores).logical_not());
        return where(returning, dense.unsqueeze(0), pruned).MoveToOuterDisposeScope();
    }
}
