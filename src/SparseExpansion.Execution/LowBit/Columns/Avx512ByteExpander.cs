using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>
/// Expansion without an instruction for it: the number of set bits before a column says which byte it gets, and a byte
/// shuffle fetches it. Every sixteen columns load their bytes for themselves, since shuffles stay in 128 bits. The
/// counts of eight columns come from one multiplication.
/// </summary>
internal readonly unsafe struct Avx512ByteExpander : IByteExpander
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Expand(ulong* mask, byte* source, Vector512<byte> absent)
    {
        Vector512<byte> bits = Avx512BW.Shuffle(Avx512DQ.BroadcastVector128ToVector512(mask).AsByte(), ByteOfColumn) & BitOfColumn;
        Vector512<byte> ones = Vector512.Min(bits, Vector512.Create((byte)1));
        Vector512<byte> counts =
            Avx512DQ.MultiplyLow(ones.AsUInt64(), Vector512.Create(0x0101_0101_0101_0101UL)).AsByte();
        Vector512<byte> before = counts + Avx512BW.Shuffle(counts, LowerHalfCount) - ones;
        byte* second = source + BitOperations.PopCount(*mask & 0xFFFF);
        byte* third = source + BitOperations.PopCount((uint)*mask);
        byte* fourth = source + BitOperations.PopCount(*mask << 16);
        Vector512<byte> bytes = Vector256.Create(Vector128.Load(source), Vector128.Load(second)).ToVector512Unsafe()
            .WithUpper(Vector256.Create(Vector128.Load(third), Vector128.Load(fourth)));
        return Vector512.ConditionalSelect(
            Vector512.Equals(bits, Vector512<byte>.Zero), absent, Avx512BW.Shuffle(bytes, before));
    }

    /// <summary>The byte of the mask that holds the bit of a column.</summary>
    internal static Vector512<byte> ByteOfColumn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            0x0000_0000_0000_0000UL, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303,
            0x0404_0404_0404_0404, 0x0505_0505_0505_0505, 0x0606_0606_0606_0606, 0x0707_0707_0707_0707).AsByte();
    }

    internal static Vector512<byte> BitOfColumn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(0x8040_2010_0804_0201UL).AsByte();
    }

    /// <summary>The upper eight columns of sixteen add the count of the lower eight; those add nothing.</summary>
    private static Vector512<byte> LowerHalfCount
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.Create(
            ~0UL, 0x0707_0707_0707_0707, ~0UL, 0x0707_0707_0707_0707, ~0UL, 0x0707_0707_0707_0707, ~0UL,
            0x0707_0707_0707_0707).AsByte();
    }
}
