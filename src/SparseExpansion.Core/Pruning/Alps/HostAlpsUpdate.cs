using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Internal.Vectors;

namespace SparseExpansion.Pruning.Alps;

/// <summary>
/// <see cref="AlpsUpdate"/> in one pass over host memory, with products in bfloat16, for elements [from, to).
/// </summary>
internal static unsafe class HostAlpsUpdate
{
    /// <summary>See <see cref="AlpsUpdate.Step"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Step(float* state, byte* pruned, float* dense, float dualScale, ushort* step, long from, long to)
    {
        Vector512<float> dual = Vector512.Create(-dualScale);
        long i = from;
        for (; i + Vector512<ushort>.Count <= to; i += Vector512<ushort>.Count)
        {
            Vector512<uint> low = HostVectors.ToBFloat16(Difference(state + i, pruned + i, dense + i, dual));
            Vector512<uint> high = HostVectors.ToBFloat16(Difference(
                state + i + 16, pruned + i + 16, dense + i + 16, dual));
            Vector512.Narrow(low, high).Store(step + i);
        }

        for (; i < to; i++)
        {
            step[i] = HostVectors.ToBFloat16((pruned[i] != 0 ? -dualScale * state[i] : state[i]) - dense[i]);
        }
    }

    /// <summary>See <see cref="AlpsUpdate.Advance"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Advance(
        float* state, byte* pruned, float* dense, float dualScale, ushort* product, long from, long to)
    {
        Vector512<float> dual = Vector512.Create(dualScale);
        long i = from;
        for (; i + Vector512<float>.Count <= to; i += Vector512<float>.Count)
        {
            Vector512<float> values = (Vector512.Load(state + i) * dual) & HostVectors.Mask(pruned + i).AsSingle();
            (values + Vector512.Load(dense + i) + HostVectors.FromBFloat16(product + i)).Store(state + i);
        }

        for (; i < to; i++)
        {
            state[i] = (pruned[i] != 0 ? dualScale * state[i] : 0) + dense[i] + HostVectors.FromBFloat16(product[i]);
        }
    }

    /// <summary>See <see cref="AlpsUpdate.Combine"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Combine(
        ushort* first, float alpha, ushort* second, float beta, ushort* third, float gamma, ushort* sum, long from,
        long to)
    {
        Vector512<float> alphas = Vector512.Create(alpha), betas = Vector512.Create(beta),
            gammas = Vector512.Create(gamma);
        long i = from;
        for (; i + Vector512<ushort>.Count <= to; i += Vector512<ushort>.Count)
        {
            Vector512<float> low = (alphas * HostVectors.FromBFloat16(first + i))
                + (betas * HostVectors.FromBFloat16(second + i)) + (gammas * HostVectors.FromBFloat16(third + i));
            Vector512<float> high = (alphas * HostVectors.FromBFloat16(first + i + 16))
                + (betas * HostVectors.FromBFloat16(second + i + 16))
                + (gammas * HostVectors.FromBFloat16(third + i + 16));
            Vector512.Narrow(HostVectors.ToBFloat16(low), HostVectors.ToBFloat16(high)).Store(sum + i);
        }

        for (; i < to; i++)
        {
            float value = (alpha * HostVectors.FromBFloat16(first[i])) + (beta * HostVectors.FromBFloat16(second[i]))
                + (gamma * HostVectors.FromBFloat16(third[i]));
            sum[i] = HostVectors.ToBFloat16(value);
        }
    }

    /// <summary>Counts the bytes, each 0 or 1, in which two arrays differ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long CountDifferent(byte* left, byte* right, long n)
    {
        long count = 0, i = 0;
        for (; i + Vector512<byte>.Count <= n; i += Vector512<byte>.Count)
        {
            Vector512<byte> same = Vector512.Equals(Vector512.Load(left + i), Vector512.Load(right + i));
            count += Vector512<byte>.Count - BitOperations.PopCount(same.ExtractMostSignificantBits());
        }

        for (; i < n; i++)
        {
            count += left[i] == right[i] ? 0 : 1;
        }

        return count;
    }

    private static Vector512<float> Difference(float* state, byte* pruned, float* dense, Vector512<float> dual)
    {
        Vector512<float> values = Vector512.Load(state);
        return Vector512.ConditionalSelect(
            HostVectors.Mask(pruned).AsSingle(), values * dual, values) - Vector512.Load(dense);
    }
}
