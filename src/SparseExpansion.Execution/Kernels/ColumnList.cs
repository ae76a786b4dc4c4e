using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Execution.Kernels.Avx512;

namespace SparseExpansion.Execution.Kernels;

/// <summary>Lists the columns of the weights of masks, which is what index kernels read.</summary>
internal static unsafe class ColumnList
{
    /// <summary>Bytes behind the list that are overwritten, or read by kernels.</summary>
    public const int Padding = 64;

    private const int EntryBytes = 16;

    private static readonly ulong[] Entries = Fill(GC.AllocateArray<ulong>(256, pinned: true));

    /// <summary>For each mask of eight columns the set ones, the first in the lowest byte.</summary>
    private static readonly ulong* Table = (ulong*)Unsafe.AsPointer(ref Entries[0]);

    private static readonly byte[] FirstEntries = FillFirsts(GC.AllocateArray<byte>(32 * EntryBytes, pinned: true));

    /// <summary>For each of the 32 masks of a row piece its first column, sixteen times.</summary>
    private static readonly byte* Firsts = (byte*)Unsafe.AsPointer(ref FirstEntries[0]);

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
        byte* firsts = Firsts;
        for (long piece = 0; piece < pieces; piece++, masks += columns / 8)
        {
            byte* end = wide ? WideColumnList.Of(masks, columns, target) : Of(masks, columns, target, table, firsts);
            counts[piece] = (ushort)(end - target);
            target = end;
        }

        new Span<byte>(target, Padding).Clear();
    }

    // Without a branch that depends on the masks, which are as good as random, and without waiting from one mask to the
    // next: where the columns of each go is known for all eight of a word.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Of(byte* masks, int columns, byte* target, ulong* table, byte* firsts)
    {
        for (byte* end = masks + columns / 8; masks < end; masks += sizeof(ulong), firsts += sizeof(ulong) * EntryBytes)
        {
            ulong ends = MaskBits.Ends(masks);
            Write(table, masks[0], firsts, target);
            Write(table, masks[1], firsts + EntryBytes, target + (byte)ends);
            Write(table, masks[2], firsts + 2 * EntryBytes, target + (byte)(ends >> 8));
            Write(table, masks[3], firsts + 3 * EntryBytes, target + (byte)(ends >> 16));
            Write(table, masks[4], firsts + 4 * EntryBytes, target + (byte)(ends >> 24));
            Write(table, masks[5], firsts + 5 * EntryBytes, target + (byte)(ends >> 32));
            Write(table, masks[6], firsts + 6 * EntryBytes, target + (byte)(ends >> 40));
            Write(table, masks[7], firsts + 7 * EntryBytes, target + (byte)(ends >> 48));
            target += (byte)(ends >> 56);
        }

        return target;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(ulong* table, byte mask, byte* first, byte* target) =>
        *(ulong*)target = (Vector128.CreateScalarUnsafe(table[mask]).AsByte() + Vector128.Load(first)).AsUInt64().ToScalar();

    private static byte[] FillFirsts(byte[] firsts)
    {
        for (int i = 0; i < firsts.Length; i++)
        {
            firsts[i] = (byte)(i / EntryBytes * 8);
        }

        return firsts;
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
