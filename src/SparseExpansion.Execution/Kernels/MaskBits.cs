using System.Numerics;
using System.Runtime.CompilerServices;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Counts weights by their mask.</summary>
internal static unsafe class MaskBits
{
    /// <summary>Set bits in a number of bytes, a multiple of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Count(byte* masks, nint bytes)
    {
        nint count = 0;
        for (byte* end = masks + bytes; masks < end; masks += sizeof(ulong))
        {
            count += BitOperations.PopCount(*(ulong*)masks);
        }

        return count;
    }

    /// <summary>
    /// Byte i of the result: set bits in bytes 0 to i of a word. So what belongs to each byte is found without waiting
    /// for the byte before it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Ends(byte* masks)
    {
        ulong word = *(ulong*)masks;
        ulong pairs = word - ((word >> 1) & 0x5555555555555555);
        ulong fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333);
        return ((fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101;
    }
}
