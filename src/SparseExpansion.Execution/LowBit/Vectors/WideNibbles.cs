using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>
/// Two codes of four bits a byte, never unpacked: the lower and the upper halves of the bytes are multiplied in turn. For
/// steps of 128 columns, and tokens in <see cref="Tokens.PairOrder"/>.
/// </summary>
internal readonly unsafe struct WideNibbles : IWideCodes
{
    public static nint BytesOf(nint columns) => columns >> 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Multiply<TStep>(byte* codes, sbyte* tokens)
        where TStep : IStep
    {
        Vector512<byte> pairs = Vector512.Load(codes), nibble = Vector512.Create((byte)0x0F);
        return NarrowProduct512.Multiply(pairs & nibble, (pairs.AsUInt16() >> 4).AsByte() & nibble, tokens);
    }
}
