using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>Puts consecutive bytes under 32 columns, with AVX2; see <see cref="Avx512ByteExpander"/>.</summary>
internal static unsafe class HalfByteExpander
{
    /// <summary>Thirty-two columns.</summary>
    /// <param name="mask">One bit a column.</param>
    /// <param name="source">The byte of the first set column; 32 bytes may be read.</param>
    /// <param name="absent">What the other columns get.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Expand(uint* mask, byte* source, Vector256<byte> absent)
    {
        Vector256<byte> bits = Avx2.Shuffle(Vector256.Create(*mask).AsByte(), ByteOfColumn) & BitOfColumn;
        Vector256<byte> ones = Vector256.Min(bits, Vector256.Create((byte)1));
        Vector256<byte> counts = Counts(ones.AsUInt64()).AsByte();
        Vector256<byte> before = counts + Avx2.Shuffle(counts, LowerHalfCount) - ones;
        Vector256<byte> bytes = Vector256.Create(
            Vector128.Load(source), Vector128.Load(source + BitOperations.PopCount((uint)*(ushort*)mask)));
        return Vector256.ConditionalSelect(
            Vector256.Equals(bits, Vector256<byte>.Zero), absent, Avx2.Shuffle(bytes, before));
    }

    /// <summary>The sum of every byte and those below it, in words of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Counts(Vector256<ulong> ones)
    {
        if (Avx512DQ.VL.IsSupported)
        {
            return Avx512DQ.VL.MultiplyLow(ones, Vector256.Create(0x0101_0101_0101_0101UL));
        }

        ones += ones << 8;
        ones += ones << 16;
        return ones + (ones << 32);
    }

    private static Vector256<byte> ByteOfColumn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256.Create(
            0x0000_0000_0000_0000UL, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303).AsByte();
    }

    private static Vector256<byte> BitOfColumn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256.Create(0x8040_2010_0804_0201UL).AsByte();
    }

    /// <summary>The upper eight columns of sixteen add the count of the lower eight; those add nothing.</summary>
    private static Vector256<byte> LowerHalfCount
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256.Create(~0UL, 0x0707_0707_0707_0707, ~0UL, 0x0707_0707_0707_0707).AsByte();
    }
}
