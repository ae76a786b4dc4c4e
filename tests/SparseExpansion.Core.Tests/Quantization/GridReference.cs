namespace SparseExpansion.Quantization;

/// <summary>Grids one weight at a time.</summary>
internal static class GridReference
{
    /// <summary>Scale and zero point of a group of weights.</summary>
    public static (float Scale, int Zero) Fit(IEnumerable<float> group, int bits)
    {
        float[] weights = [.. group, 0];
        int maximum = (1 << bits) - 1;
        float scale = ToBFloat16((weights.Max() - weights.Min()) / maximum);
        scale = scale == 0 ? 1 : scale;
        return (scale, (int)Math.Clamp(MathF.Round(-weights.Min() / scale), 0, maximum));
    }

    /// <summary>The nearest of all values of the grid.</summary>
    public static double Round(double weight, float scale, int zero, int bits) =>
        Enumerable.Range(0, 1 << bits).Select(code => (double)scale * (code - zero)).MinBy(value => Math.Abs(value - weight));

    private static float ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value), lower = bits & 0xFFFF, upper = bits >> 16;
        bool up = lower > 0x8000 || (lower == 0x8000 && upper % 2 == 1);
        return BitConverter.UInt32BitsToSingle((up ? upper + 1 : upper) << 16);
    }
}
