using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>
/// Sixteen codes at a time with AVX-512: 8-bit ones are widened, 4-bit ones
/// select from the sixteen values of their group.
/// </summary>
internal static unsafe class WideDecoder
{
    /// <summary>
    /// Writes scale · (code − zero) for consecutive codes; up to 15 values behind them are overwritten.
    /// </summary>
    /// <param name="codes">The first code of the weight; at least 16 bytes follow the last one.</param>
    /// <param name="position">The first code to decode.</param>
    /// <param name="bits">2, 3, 4 or 8.</param>
    /// <param name="count">Codes to decode.</param>
    /// <param name="scale">Scale of their group.</param>
    /// <param name="zero">Zero point of their group.</param>
    /// <param name="target">Receives the values.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode(byte* codes, long position, int bits, nint count, float scale, byte zero, float* target)
    {
        if (bits == 8)
        {
            DecodeBytes(codes + position, count, scale, zero, target);
        }
        else if (bits == 4)
        {
            DecodeNibbles(codes + (position >> 1), (int)(position & 1) * 4, count, scale, zero, target);
        }
        else
        {
            DecodeFew(codes, position * bits, bits, count, scale, zero, target);
        }
    }

    private static void DecodeBytes(byte* source, nint count, float scale, byte zero, float* target)
    {
        Vector512<int> zeros = Vector512.Create((int)zero);
        Vector512<float> scales = Vector512.Create(scale);
        for (nint i = 0; i < count; i += 16)
        {
            Vector512<int> steps = Avx512F.ConvertToVector512Int32(Vector128.Load(source + i)) - zeros;
            (Vector512.ConvertToSingle(steps) * scales).Store(target + i);
        }
    }

    private static void DecodeFew(
        byte* codes, long firstBit, int bits, nint count, float scale, byte zero, float* target)
    {
        Vector512<int> zeros = Vector512.Create((int)zero), mask = Vector512.Create((1 << bits) - 1);
        Vector512<float> scales = Vector512.Create(scale);
        Vector512<uint> shifts = Vector512.Create(0u, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7) * (uint)bits;
        for (nint i = 0; i < count; i += 16, firstBit += 16 * bits)
        {
            // Sixteen codes and the bits before them fill at most 55 bits; each half of the lanes reads eight.
            ulong sixteen = *(ulong*)(codes + (firstBit >> 3)) >> (int)(firstBit & 7);
            Vector512<uint> words = Vector512.Create(
                Vector256.Create((uint)sixteen), Vector256.Create((uint)(sixteen >> (8 * bits))));
            Vector512<int> steps = (Avx512F.ShiftRightLogicalVariable(words, shifts).AsInt32() & mask) - zeros;
            (Vector512.ConvertToSingle(steps) * scales).Store(target + i);
        }
    }

    private static void DecodeNibbles(byte* source, int shift, nint count, float scale, byte zero, float* target)
    {
        Vector512<float> values =
            (Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) - Vector512.Create((float)zero))
                * Vector512.Create(scale);
        Vector512<uint> shifts = Vector512.Create(0u, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
        for (nint i = 0; i < count; i += 16, source += 8)
        {
            // Two overlapping words, so that sixteen codes may begin in the middle of a byte. A
            // permutation reads the lowest four bits of a lane.
            ulong sixteen = (*(ulong*)source >> shift) | (*(ulong*)(source + 1) << (8 - shift));
            Vector512<uint> words = Vector512.Create(
                Vector256.Create((uint)sixteen), Vector256.Create((uint)(sixteen >> 32)));
            Avx512F.PermuteVar16x32(values, Avx512F.ShiftRightLogicalVariable(words, shifts).AsInt32())
                .Store(target + i);
        }
    }
}
