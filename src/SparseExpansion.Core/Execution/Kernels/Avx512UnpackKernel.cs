using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Spreads the stored values of a row piece to dense memory; whole blocks of 64 columns only.</summary>
internal static unsafe class Avx512UnpackKernel
{
    /// <summary>Writes 64 columns per mask word as float32; returns the number of values read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Float32(float* values, byte* masks, float* target, nint columns)
    {
        Vector512<int> bits = Avx512F.ShiftLeftLogicalVariable(Vector512.Create(1), Vector512<uint>.Indices);
        nint read = 0;
        for (nint column = 0; column < columns; column += 16, masks += 2)
        {
            Vector512<int> kept = ~Vector512.Equals(Vector512.Create(*(int*)masks) & bits, Vector512<int>.Zero);
            Avx512F.Expand(Vector512<float>.Zero, kept.AsSingle(), Vector512.Load(values + read)).Store(target + column);
            read += BitOperations.PopCount(*(ushort*)masks);
        }

        return read;
    }

    /// <summary>Writes 64 columns per mask word as bfloat16; returns the number of values read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint BFloat16(ushort* values, byte* masks, ushort* target, nint columns)
    {
        Vector512<ushort> bits = Vector512.Create(Vector256.Create(Vector128.Create(1, 2, 4, 8, 16, 32, 64, (ushort)128)));
        Vector512<byte> quarters = Vector512.Create(
            Vector256.Create(Vector128.Create((byte)0), Vector128.Create((byte)1)),
            Vector256.Create(Vector128.Create((byte)2), Vector128.Create((byte)3)));
        nint read = 0;
        for (nint column = 0; column < columns; column += 32, masks += 4)
        {
            Vector512<ushort> spread = Avx512BW.Shuffle(Vector512.Create(*(uint*)masks).AsByte(), quarters).AsUInt16();
            Vector512<ushort> kept = ~Vector512.Equals(spread & bits, Vector512<ushort>.Zero);
            Avx512Vbmi2.Expand(Vector512<ushort>.Zero, kept, Vector512.Load(values + read)).Store(target + column);
            read += BitOperations.PopCount(*(uint*)masks);
        }

        return read;
    }
}
