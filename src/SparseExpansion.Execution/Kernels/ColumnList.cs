using System.Runtime.CompilerServices;
using SparseExpansion.Execution.Kernels.Avx512;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Lists the columns of the weights of masks, which is what index kernels read.</summary>
internal static unsafe class ColumnList
{
    /// <summary>Bytes behind the list that are overwritten, or read by kernels.</summary>
    public const int Padding = 64;

    // From the columns of one byte of a mask to those of the next, for all eight.
    private const ulong Step = 0x0808080808080808;

    private static readonly ulong[] Entries = Fill(GC.AllocateArray<ulong>(256, pinned: true));

    /// <summary>For each mask of eight columns the set ones, the first in the lowest byte.</summary>
    private static readonly ulong* Table = (ulong*)Unsafe.AsPointer(ref Entries[0]);

    /// <summary>Lists the columns of row pieces, and how many each has.</summary>
    /// <param name="masks">Their masks, one after the other.</param>
    /// <param name="pieces">Row pieces.</param>
    /// <param name="columns">Columns of a piece, a multiple of 64 and at most 256.</param>
    /// <param name="target">Receives one byte for each weight; <see cref="Padding"/> more are cleared.</param>
    /// <param name="counts">Receives the number of weights of each piece.</param>
    /// <param name="wide">True if AVX-512 may be used.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Of(byte* masks, long pieces, int columns, byte* target, ushort* counts, bool wide)
    {
        ulong* table = Table;
        for (long piece = 0; piece < pieces; piece++, masks += columns / 8)
        {
            byte* end = wide ? WideColumnList.Of(masks, columns, target) : Of(masks, columns, target, table);
            counts[piece] = (ushort)(end - target);
            target = end;
        }

        new Span<byte>(target, Padding).Clear();
    }

    // Without a branch that depends on the masks, which are as good as random, and without waiting from one mask to the
    // next: where the columns of each go follows from the counts of all eight before it, which one product adds up.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Of(byte* masks, int columns, byte* target, ulong* table)
    {
        ulong first = 0;
        for (byte* end = masks + columns / 8; masks < end; masks += sizeof(ulong), first += sizeof(ulong) * Step)
        {
            ulong ends = EndsOf(*(ulong*)masks);
            *(ulong*)target = table[masks[0]] + first;
            *(ulong*)(target + (byte)ends) = table[masks[1]] + (first + Step);
            *(ulong*)(target + (byte)(ends >> 8)) = table[masks[2]] + (first + 2 * Step);
            *(ulong*)(target + (byte)(ends >> 16)) = table[masks[3]] + (first + 3 * Step);
            *(ulong*)(target + (byte)(ends >> 24)) = table[masks[4]] + (first + 4 * Step);
            *(ulong*)(target + (byte)(ends >> 32)) = table[masks[5]] + (first + 5 * Step);
            *(ulong*)(target + (byte)(ends >> 40)) = table[masks[6]] + (first + 6 * Step);
            *(ulong*)(target + (byte)(ends >> 48)) = table[masks[7]] + (first + 7 * Step);
            target += (byte)(ends >> 56);
        }

        return target;
    }

    /// <summary>Byte i: set bits in bytes 0 to i of a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong EndsOf(ulong word)
    {
        ulong pairs = word - ((word >> 1) & 0x5555555555555555);
        ulong fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333);
        return ((fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101;
    }

    private static ulong[] Fill(ulong[] entries)
    {
        for (int mask = 0; mask < entries.Length; mask++)
        {
            int shift = 0;
            for (int column = 0; column < 8; column++)
            {
                if ((mask >> column & 1) != 0)
                {
                    entries[mask] |= (ulong)column << shift;
                    shift += 8;
                }
            }
        }

        return entries;
    }
}
