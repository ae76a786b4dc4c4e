namespace SparseExpansion.Execution.Packing;

/// <summary>Codes of 1 to 8 bits that follow each other without gaps, the first in the lowest bits.</summary>
internal static unsafe class CodeBits
{
    /// <summary>Bytes that so many codes fill.</summary>
    public static long BytesOf(long count, int bits) => (count * bits + 7) / 8;

    /// <summary>The code at a position.</summary>
    public static int Get(byte* codes, long position, int bits)
    {
        long first = position * bits;
        int shift = (int)(first & 7);
        codes += first >> 3;
        int word = shift + bits > 8 ? codes[0] | (codes[1] << 8) : codes[0];
        return (word >> shift) & ((1 << bits) - 1);
    }

    /// <summary>Writes a code where there are zero bits.</summary>
    public static void Set(byte* codes, long position, int bits, int code)
    {
        long first = position * bits;
        int shift = (int)(first & 7), word = code << shift;
        codes += first >> 3;
        codes[0] |= (byte)word;
        if (shift + bits > 8)
        {
            codes[1] |= (byte)(word >> 8);
        }
    }
}
