using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Codes;

/// <summary>Writes bytes as codes of four or eight bits: the opposite of <see cref="CodeUnpacker"/>.</summary>
internal static unsafe class CodePacker
{
    /// <summary>Writes a row.</summary>
    /// <param name="codes">A code a byte.</param>
    /// <param name="count">Codes.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="target">The row's bytes, all of which are written.</param>
    public static void Pack(byte* codes, int count, int bits, byte* target)
    {
        if (bits == 8)
        {
            Buffer.MemoryCopy(codes, target, count, count);
            return;
        }

        int column = 0;
        for (; column + 32 <= count; column += 32)
        {
            // Upper halves of the words are odd columns; shifted down by four they join the even ones.
            Vector128<ushort> a = Join(codes + column), b = Join(codes + column + 16);
            Vector128.Narrow(a, b).Store(target + column / 2);
        }

        for (; column < count; column += 2)
        {
            int odd = column + 1 < count ? codes[column + 1] << 4 : 0;
            target[column / 2] = (byte)(codes[column] | odd);
        }
    }

    private static Vector128<ushort> Join(byte* codes)
    {
        Vector128<ushort> pairs = Vector128.Load((ushort*)codes);
        return (pairs | (pairs >> 4)) & Vector128.Create((ushort)0xFF);
    }
}
