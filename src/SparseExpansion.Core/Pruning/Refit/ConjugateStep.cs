using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

/// <summary>
/// The part of an iteration of conjugate gradients that treats every row on its own, after the product of all
/// directions with the Hessian.
/// </summary>
internal static class ConjugateStep
{
    /// <summary>Steps along the directions and turns them, all in place.</summary>
    /// <param name="direction">p, [k, rows, d], float32.</param>
    /// <param name="product">pH, contiguous, float32 or, on hosts that multiply it, bfloat16.</param>
    /// <param name="pruned">True outside the support, bool [k, rows, d].</param>
    /// <param name="open">Experts that go on, bool [k]; the solution of the others stays as it is.</param>
    /// <param name="solution">x, [k, rows, d], float32.</param>
    /// <param name="residual">r, [k, rows, d], float32.</param>
    /// <param name="squares">‖r‖² of every row, [k, rows, 1], float32.</param>
    /// <returns>By how much the error of every row fell, [k, rows, 1], float32.</returns>
    public static Tensor Take(
        Tensor direction, Tensor product, Tensor pruned, Tensor open, Tensor solution, Tensor residual,
        Tensor squares) =>
        product.dtype == ScalarType.BFloat16
            ? HostConjugateRows.Take(direction, product, pruned, open, solution, residual, squares)
            : TakeOnDevice(direction, product, pruned, open, solution, residual, squares);

    /// <summary>
    /// Turns an error and its gradient into the first direction and residual, in place: both are the gradient on the
    /// support.
    /// </summary>
    /// <param name="direction">Ŵ − x, [k, rows, d], float32, contiguous; becomes p.</param>
    /// <param name="residual">(Ŵ − x)H, the same; becomes r.</param>
    /// <param name="pruned">True outside the support, bool [k, rows, d], contiguous.</param>
    /// <returns>Of every row its error, its gradient's square off the support too, and ‖r‖², each [k, rows, 1],
    /// float32.</returns>
    public static (Tensor Errors, Tensor Gradients, Tensor Squares) Begin(
        Tensor direction, Tensor residual, Tensor pruned) =>
        direction.device.type == TorchSharp.DeviceType.CPU
            ? HostConjugateRows.Begin(direction, residual, pruned)
            : BeginOnDevice(direction, residual, pruned);

    /// <summary>The same as <see cref="Begin"/>, on any device.</summary>
    internal static (Tensor Errors, Tensor Gradients, Tensor Squares) BeginOnDevice(
        Tensor direction, Tensor residual, Tensor pruned)
    {
        (Tensor errors, Tensor gradients) = (Dots(direction, residual), Dots(residual, residual));
        residual.masked_fill_(pruned, Scalars.Of(0));
        direction.copy_(residual);
        return (errors, gradients, Dots(residual, residual));
    }

    /// <summary>Inner products of rows, [k, rows, 1].</summary>
    public static Tensor Dots(Tensor left, Tensor right)
    {
        using Tensor product = left * right;
        return product.sum([2L], keepdim: true);
    }

    private static Tensor TakeOnDevice(
        Tensor direction, Tensor product, Tensor pruned, Tensor open, Tensor solution, Tensor residual, Tensor squares)
    {
        using var scope = NewDisposeScope();
        Tensor kept = product.masked_fill_(pruned, Scalars.Of(0)), curvature = Dots(direction, kept);
        Tensor moves = curvature.gt(Scalars.Of(0)).logical_and(open.reshape(-1, 1, 1));
        Tensor step = where(moves, squares / curvature, zeros_like(curvature));
        solution.addcmul_(direction, step, Scalars.Of(1));
        residual.addcmul_(kept, step, Scalars.Of(-1));
        Tensor gain = step * squares, next = Dots(residual, residual);
        Tensor turn = where(squares.gt(Scalars.Of(0)), next / squares, zeros_like(squares));
        direction.mul_(turn).PlusInPlace(residual);
        squares.copy_(next);
        return gain.MoveToOuterDisposeScope();
    }
}
