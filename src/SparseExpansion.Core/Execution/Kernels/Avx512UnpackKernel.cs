using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Spreads the stored values of a row piece to dense memory; whole groups of 64 columns only.</summary>
internal static unsafe class Avx512UnpackKernel
{
    /// <summary>Writes float32; returns the number of values read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint Float32(float* values, byte* masks, float* target, nint columns)
    {
        nint read = 0;
        for (nint column = 0; column < columns; column += 32, masks += sizeof(uint))
        {
            Float32Expander.Spread((byte*)(values + read), masks, out Vector512<float> first, out Vector512<float> second);
            first.Store(target + column);
            second.Store(target + column + 16);
            read += BitOperations.PopCount(*(uint*)masks);
        }

        return read;
    }

    /// <summary>Writes bfloat16; returns the number of values read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nint BFloat16(ushort* values, byte* masks, ushort* target, nint columns)
    {
        nint read = 0;
        for (nint column = 0; column < columns; column += 32, masks += sizeof(uint))
        {
            BFloat16Expander.ThirtyTwo(values + read, masks).Store(target + column);
            read += BitOperations.PopCount(*(uint*)masks);
        }

        return read;
    }
}
