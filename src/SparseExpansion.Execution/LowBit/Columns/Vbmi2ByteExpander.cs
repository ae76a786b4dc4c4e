using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Columns;

/// <summary>Expansion by the instruction for it.</summary>
internal readonly unsafe struct Vbmi2ByteExpander : IByteExpander
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Expand(ulong* mask, byte* source, Vector512<byte> absent)
    {
        Vector512<byte> bits = Avx512BW.Shuffle(Avx512DQ.BroadcastVector128ToVector512(mask).AsByte(), Avx512ByteExpander.ByteOfColumn)
            & Avx512ByteExpander.BitOfColumn;
        return Avx512Vbmi2.Expand(absent, ~Vector512.Equals(bits, Vector512<byte>.Zero), Vector512.Load(source));
    }
}
