using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.Kernels.Avx512;

namespace SparseExpansion.Execution.Kernels.Portable;

/// <summary>Sixteen codes at a time with vectors of 128 bits; see <see cref="WideDecoder"/>.</summary>
internal static unsafe class PortableDecoder
{
    /// <summary>Writes scale · (code − zero) for consecutive codes; see <see cref="WideDecoder.Decode"/>.</summary>
    public static void Decode(byte* codes, long position, int bits, nint count, float scale, byte zero, float* target)
    {
        Vector128<float> zeros = Vector128.Create((float)zero), scales = Vector128.Create(scale);
        if (bits == 8)
        {
            for (nint i = 0; i < count; i += 16)
            {
                Store(Vector128.Load(codes + position + i), zeros, scales, target + i);
            }

            return;
        }

        if (bits < 4)
        {
            DecodeFew(codes, position, bits, count, zeros, scales, target);
            return;
        }

        byte* source = codes + (position >> 1);
        int shift = (int)(position & 1) * 4;
        for (nint i = 0; i < count; i += 16, source += 8)
        {
            ulong sixteen = (*(ulong*)source >> shift) | (*(ulong*)(source + 1) << (8 - shift));
            Vector128<byte> pairs = Vector128.CreateScalar(sixteen).AsByte();
            Vector128<ushort> lower = Vector128.WidenLower(pairs & Vector128.Create((byte)15));
            Vector128<ushort> upper = Vector128.WidenLower(pairs >>> 4);
            Store((lower | (upper << 8)).AsByte(), zeros, scales, target + i);
        }
    }

    /// <summary>Codes of two or three bits: eight of them never reach past four bytes.</summary>
    private static void DecodeFew(
        byte* codes, long position, int bits, nint count, Vector128<float> zeros, Vector128<float> scales, float* target)
    {
        Vector128<int> lower = Vector128.Create(0, 1, 2, 3) * bits, mask = Vector128.Create((1 << bits) - 1);
        for (nint i = 0; i < count; i += 8)
        {
            long first = (position + i) * bits;
            int eight = *(int*)(codes + (first >> 3)) >>> (int)(first & 7);
            Store(Shift(Vector128.Create(eight), lower) & mask, zeros, scales, target + i);
            Store(Shift(Vector128.Create(eight >>> (4 * bits)), lower) & mask, zeros, scales, target + i + 4);
        }
    }

    private static Vector128<int> Shift(Vector128<int> value, Vector128<int> counts) => Vector128.Create(
        value[0] >>> counts[0], value[1] >>> counts[1], value[2] >>> counts[2], value[3] >>> counts[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> codes, Vector128<float> zeros, Vector128<float> scales, float* target)
    {
        Vector128<ushort> lower = Vector128.WidenLower(codes), upper = Vector128.WidenUpper(codes);
        Store(Vector128.WidenLower(lower), zeros, scales, target);
        Store(Vector128.WidenUpper(lower), zeros, scales, target + 4);
        Store(Vector128.WidenLower(upper), zeros, scales, target + 8);
        Store(Vector128.WidenUpper(upper), zeros, scales, target + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<uint> codes, Vector128<float> zeros, Vector128<float> scales, float* target) =>
        Store(codes.AsInt32(), zeros, scales, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<int> codes, Vector128<float> zeros, Vector128<float> scales, float* target) =>
        ((Vector128.ConvertToSingle(codes) - zeros) * scales).Store(target);
}
