using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>Lists the columns of 64 weights with one compression.</summary>
internal static unsafe class WideColumnList
{
    private const int WordColumns = 64;

    /// <summary>Lists the columns of a row piece.</summary>
    /// <param name="masks">Its masks.</param>
    /// <param name="columns">Its columns, a multiple of 64.</param>
    /// <param name="target">Receives them; 64 bytes behind the last one may be overwritten.</param>
    /// <returns>The byte behind the last column.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Of(byte* masks, int columns, byte* target)
    {
        // Lane l of 64 tests bit l % 8 of mask byte l / 8; a 128-bit quarter holds sixteen lanes, so quarter q needs
        // bytes 2q and 2q + 1, which every quarter of the broadcast word has.
        Vector512<byte> bits = Vector512.Create(0x8040201008040201).AsByte();
        Vector512<byte> bytes = Vector512.Create(
            (byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
            4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7);
        Vector512<byte> numbers = Vector512<byte>.Indices;
        for (int column = 0; column < columns; column += WordColumns, masks += sizeof(ulong))
        {
            ulong word = *(ulong*)masks;
            Vector512<byte> spread = Avx512BW.Shuffle(Vector512.Create(word).AsByte(), bytes);
            Vector512<byte> kept = ~Vector512.Equals(spread & bits, Vector512<byte>.Zero);
            Avx512Vbmi2.Compress(Vector512<byte>.Zero, kept, numbers).Store(target);
            target += BitOperations.PopCount(word);
            numbers += Vector512.Create((byte)WordColumns);
        }

        return target;
    }
}
