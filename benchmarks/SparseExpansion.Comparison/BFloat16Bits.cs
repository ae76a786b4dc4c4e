namespace SparseExpansion.Comparison;

/// <summary>The upper half of a single.</summary>
internal static class BFloat16Bits
{
    /// <summary>A finite number, rounded to the nearer neighbor.</summary>
    public static ushort Round(float value) => (ushort)((BitConverter.SingleToUInt32Bits(value) + 0x8000) >> 16);

    /// <summary>The number that the bits stand for.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
