namespace SparseExpansion.Comparison.Folders;

/// <summary>Scales and zero points of random codes, whose values have the deviation of the other weights.</summary>
/// <param name="Bits">Bits of a code.</param>
/// <param name="Groups">Groups of a row.</param>
/// <param name="Scales">[rows · groups], bfloat16.</param>
/// <param name="Zeros">[rows · groups].</param>
internal sealed record RandomGrid(int Bits, int Groups, ushort[] Scales, byte[] Zeros)
{
    /// <summary>Draws one.</summary>
    /// <param name="rows">Rows of the weight.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="gain">Factor of its values.</param>
    /// <param name="bits">Bits of a code.</param>
    /// <param name="random">Random numbers.</param>
    public static RandomGrid Create(int rows, int columns, float gain, int bits, RandomWeights random)
    {
        int groups = (columns + WeightStorage.GroupSize - 1) / WeightStorage.GroupSize;
        var grid = new RandomGrid(bits, groups, new ushort[rows * groups], new byte[rows * groups]);
        for (int g = 0; g < grid.Scales.Length; g++)
        {
            grid.Scales[g] = BFloat16Bits.Round(gain * ScaleOf(bits) * (0.75f + random.NextUniform() / 2));
            // Either of the two codes in the middle, so that the mean of all weights is 0: with another mean all tokens
            // become alike from block to block.
            grid.Zeros[g] = (byte)((1 << (bits - 1)) - (int)(random.NextBits() & 1));
        }

        return grid;
    }

    /// <summary>The step at which uniform codes have the deviation of the other weights.</summary>
    private static float ScaleOf(int bits) => RandomWeights.Deviation * MathF.Sqrt(12) / (1 << bits);
}
