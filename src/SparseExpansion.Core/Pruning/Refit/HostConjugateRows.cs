using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Refit;

/// <summary><see cref="ConjugateStep"/> for tensors in host memory, many rows at a time.</summary>
internal static unsafe class HostConjugateRows
{
    /// <summary>See <see cref="ConjugateStep.Begin"/>.</summary>
    public static (Tensor Errors, Tensor Gradients, Tensor Squares) Begin(
        Tensor direction, Tensor residual, Tensor pruned)
    {
        long experts = direction.shape[0], rows = direction.shape[1], width = direction.shape[2];
        Tensor errors = empty(experts, rows, 1), gradients = empty_like(errors), squares = empty_like(errors);
        float* directions = RawMemory.Pointer<float>(direction), residuals = RawMemory.Pointer<float>(residual);
        float* error = RawMemory.Pointer<float>(errors), gradient = RawMemory.Pointer<float>(gradients),
            square = RawMemory.Pointer<float>(squares);
        byte* marks = RawMemory.Pointer<byte>(pruned);
        RowParallel.ForMemory(experts * rows, width, (from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                long start = row * width;
                (error[row], gradient[row], square[row]) = HostConjugateStep.Begin(
                    directions + start, residuals + start, marks + start, width);
            }
        });
        RawMemory.KeepAlive(direction, residual, pruned);
        return (errors, gradients, squares);
    }

    /// <summary>See <see cref="ConjugateStep.Take"/>; the product is bfloat16.</summary>
    public static Tensor Take(
        Tensor direction, Tensor product, Tensor pruned, Tensor open, Tensor solution, Tensor residual, Tensor squares)
    {
        Tensor gain = empty_like(squares);
        long rows = direction.shape[1], width = direction.shape[2];
        float* directions = RawMemory.Pointer<float>(direction), solutions = RawMemory.Pointer<float>(solution);
        float* residuals = RawMemory.Pointer<float>(residual), norms = RawMemory.Pointer<float>(squares),
            gains = RawMemory.Pointer<float>(gain);
        ushort* products = (ushort*)RawMemory.Address(product);
        byte* marks = RawMemory.Pointer<byte>(pruned), goOn = RawMemory.Pointer<byte>(open);
        RowParallel.ForMemory(direction.shape[0] * rows, width, (from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                long start = row * width;
                gains[row] = goOn[row / rows] == 0 ? 0 : HostConjugateStep.Take(
                    directions + start, products + start, marks + start, solutions + start, residuals + start,
                    norms + row, width);
            }
        });
        RawMemory.KeepAlive(direction, product, pruned, open, solution, residual, squares);
        return gain;
    }
}
