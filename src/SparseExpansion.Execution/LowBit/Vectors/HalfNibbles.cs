using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>
/// Two codes of four bits a byte, never unpacked: the lower and the upper halves of the bytes are multiplied in turn. For
/// steps of 128 columns, and tokens in <see cref="Tokens.PairOrder"/>.
/// </summary>
internal readonly unsafe struct HalfNibbles : IHalfCodes
{
    public static nint BytesOf(nint columns) => columns >> 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply<TStep>(byte* codes, sbyte* tokens)
        where TStep : IStep => Multiply(codes, tokens) + Multiply(codes + 32, tokens + 32);

    /// <summary>Sixty-four columns: the odd features lie 64 behind the even ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Multiply(byte* codes, sbyte* tokens)
    {
        Vector256<byte> pairs = Vector256.Load(codes), nibble = Vector256.Create((byte)0x0F);
        return Avx2.MultiplyAddAdjacent(
            Avx2.MultiplyAddAdjacent(pairs & nibble, Vector256.Load(tokens))
                + Avx2.MultiplyAddAdjacent((pairs.AsUInt16() >> 4).AsByte() & nibble, Vector256.Load(tokens + 64)),
            Vector256.Create((short)1));
    }
}
