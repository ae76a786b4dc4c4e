using SparseExpansion.Internal.Vectors;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>
/// The elementwise halves of an iteration of ADMM, before and after its matrix product. The state S = W + U holds the
/// pruned weights D where a weight stays and the scaled dual U where it goes; D and U are 0 elsewhere.
/// </summary>
internal static unsafe class AlpsUpdate
{
    /// <summary>D − U − Ŵ, the operand of the product.</summary>
    /// <param name="state">S, [k, rows, d], float32.</param>
    /// <param name="pruned">True where a weight goes, bool, the same shape.</param>
    /// <param name="dense">Ŵ, float32, the same shape.</param>
    /// <param name="dualScale">Factor of U: below 1 when the penalty has risen, as ρU stays.</param>
    /// <param name="precision">dtype of the result: float32, or bfloat16 on hosts that multiply it.</param>
    public static Tensor Step(Tensor state, Tensor pruned, Tensor dense, float dualScale, ScalarType precision)
    {
        if (precision != ScalarType.BFloat16)
        {
            using Tensor signs = pruned.to(ScalarType.Float32).mul_(Scalars.Of(-1 - dualScale)).PlusInPlace(1);
            return signs.mul_(state).sub(dense);
        }

        Tensor step = empty(state.shape, ScalarType.BFloat16);
        float* states = RawMemory.Pointer<float>(state), weights = RawMemory.Pointer<float>(dense);
        byte* marks = RawMemory.Pointer<byte>(pruned);
        ushort* steps = (ushort*)RawMemory.Address(step);
        RowParallel.ForMemory(
            state.numel(), 1, (from, to) => HostAlpsUpdate.Step(states, marks, weights, dualScale, steps, from, to));
        RawMemory.KeepAlive(state, pruned, dense);
        return step;
    }

    /// <summary>S = U + Ŵ + (W − Ŵ) in place.</summary>
    /// <param name="state">S, as for <see cref="Step"/>.</param>
    /// <param name="pruned">True where a weight goes.</param>
    /// <param name="dense">Ŵ.</param>
    /// <param name="dualScale">As for <see cref="Step"/>.</param>
    /// <param name="product">W − Ŵ, contiguous, float32 or, on hosts that multiply it, bfloat16.</param>
    public static void Advance(Tensor state, Tensor pruned, Tensor dense, float dualScale, Tensor product)
    {
        if (product.dtype != ScalarType.BFloat16)
        {
            using Tensor scales = pruned.to(ScalarType.Float32).mul_(Scalars.Of(dualScale));
            state.mul_(scales).PlusInPlace(dense).PlusInPlace(product);
            return;
        }

        float* states = RawMemory.Pointer<float>(state), weights = RawMemory.Pointer<float>(dense);
        byte* marks = RawMemory.Pointer<byte>(pruned);
        ushort* products = (ushort*)RawMemory.Address(product);
        RowParallel.ForMemory(
            state.numel(), 1,
            (from, to) => HostAlpsUpdate.Advance(states, marks, weights, dualScale, products, from, to));
        RawMemory.KeepAlive(state, pruned, dense, product);
    }

    /// <summary>αA + βB + γC of matrices in bfloat16 in host memory, or in float32.</summary>
    public static Tensor Combine(Tensor a, double alpha, Tensor b, double beta, Tensor c, double gamma)
    {
        if (a.dtype != ScalarType.BFloat16)
        {
            return a.mul(Scalars.Of(alpha)).add_(b, alpha: Scalars.Of(beta)).add_(c, alpha: Scalars.Of(gamma));
        }

        Tensor sum = empty_like(a);
        ushort* first = (ushort*)RawMemory.Address(a), second = (ushort*)RawMemory.Address(b),
            third = (ushort*)RawMemory.Address(c);
        ushort* sums = (ushort*)RawMemory.Address(sum);
        RowParallel.ForMemory(a.numel(), 1, (from, to) => HostAlpsUpdate.Combine(
            first, (float)alpha, second, (float)beta, third, (float)gamma, sums, from, to));
        RawMemory.KeepAlive(a, b, c);
        return sum;
    }

    /// <summary>Number of weights that went or came back, for each expert.</summary>
    /// <param name="before">bool [k, rows, d].</param>
    /// <param name="after">bool [k, rows, d].</param>
    public static long[] Changes(Tensor before, Tensor after)
    {
        if (before.device.type == TorchSharp.DeviceType.CPU)
        {
            byte* old = RawMemory.Pointer<byte>(before), current = RawMemory.Pointer<byte>(after);
            long experts = before.shape[0], size = before.numel() / experts;
            long[] changes = [.. Enumerable.Range(0, (int)experts)
                .Select(expert =>
                    HostAlpsUpdate.CountDifferent(old + (expert * size), current + (expert * size), size))];
            RawMemory.KeepAlive(before, after);
            return changes;
        }

        using Tensor different = before.ne(after), counts = different.sum([1L, 2L]), host = counts.cpu();
        return host.data<long>().ToArray();
    }
}
