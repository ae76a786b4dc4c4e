using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Execution.LowBit.Codes;

/// <summary>Turns codes of two to four bits into bytes, so that the rest of the kernels sees bytes alone.</summary>
internal static unsafe class CodeUnpacker
{
    /// <summary>Bytes that may be written before the first code and behind the last one.</summary>
    public const int Slack = 64;

    /// <summary>Writes consecutive codes, a byte each.</summary>
    /// <param name="codes">The first code of the weight; <see cref="PackedArrays.CodePadding"/> bytes follow the last
    /// one.</param>
    /// <param name="position">The first code to unpack.</param>
    /// <param name="count">Codes to unpack.</param>
    /// <param name="bits">2, 3, 4 or 8.</param>
    /// <param name="path">Instructions.</param>
    /// <param name="scratch">Room for the codes and <see cref="Slack"/> bytes on either side.</param>
    /// <returns>The first byte: in the codes themselves where they are bytes, otherwise in the scratch memory.</returns>
    public static byte* Unpack(byte* codes, long position, nint count, int bits, LowBitPath path, byte* scratch)
    {
        if (bits == 8)
        {
            return codes + position;
        }

        if (bits == 4 && path >= LowBitPath.Avx2)
        {
            return UnpackNibbles(codes + (position >> 1), (int)position & 1, count, path, scratch + Slack);
        }

        byte* target = scratch + Slack;
        if (path >= LowBitPath.Avx2)
        {
            Deposit(codes, (nuint)position * (nuint)bits, count, bits, target);
        }
        else
        {
            for (nint i = 0; i < count; i++)
            {
                target[i] = (byte)CodeBits.Get(codes, position + i, bits);
            }
        }

        return target;
    }

    private static byte* UnpackNibbles(byte* source, int skipped, nint count, LowBitPath path, byte* target)
    {
        nint total = count + skipped;
        if (path >= LowBitPath.Avx512)
        {
            for (nint i = 0; i < total; i += 64)
            {
                Nibbles64(source + (i >> 1)).Store(target + i);
            }
        }
        else
        {
            for (nint i = 0; i < total; i += 32)
            {
                Nibbles32(source + (i >> 1)).Store(target + i);
            }
        }

        return target + skipped;
    }

    /// <summary>Sixty-four codes of four bits that begin at a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Nibbles64(byte* source)
    {
        Vector512<ushort> pairs = Avx512BW.ConvertToVector512UInt16(Vector256.Load(source));
        return ((pairs | (pairs << 4)) & Vector512.Create((ushort)0x0F0F)).AsByte();
    }

    /// <summary>Thirty-two codes of four bits that begin at a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Nibbles32(byte* source)
    {
        Vector256<ushort> pairs = Avx2.ConvertToVector256Int16(source).AsUInt16();
        return ((pairs | (pairs << 4)) & Vector256.Create((ushort)0x0F0F)).AsByte();
    }

    /// <summary>Eight codes of two or three bits at a time.</summary>
    private static void Deposit(byte* codes, nuint bit, nint count, int bits, byte* target)
    {
        ulong places = bits == 2 ? 0x0303_0303_0303_0303UL : 0x0707_0707_0707_0707UL;
        nuint step = (nuint)bits * 8;
        for (nint i = 0; i < count; i += 8, bit += step)
        {
            ulong eight = *(ulong*)(codes + (bit >> 3)) >> (int)(bit & 7);
            *(ulong*)(target + i) = Bmi2.X64.ParallelBitDeposit(eight, places);
        }
    }
}
