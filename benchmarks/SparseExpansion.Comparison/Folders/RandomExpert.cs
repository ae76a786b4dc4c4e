using SparseExpansion.Execution;
using SparseExpansion.Execution.Packing;

namespace SparseExpansion.Comparison.Folders;

/// <summary>Packed weights of random values at random places, made by the library's own packer.</summary>
internal static unsafe class RandomExpert
{
    /// <summary>A weight of the storage's kind.</summary>
    public static PackedWeight Create(LinearShape linear, WeightStorage storage, RandomWeights random) =>
        storage.Bits is { } bits ? CreateCodes(linear, bits, storage.Sparsity, random)
        : storage.Type == ElementType.BFloat16 ? CreateHalves(linear, storage.Sparsity, random)
        : PackedWeight.Pack(Values(linear, storage.Sparsity, random), linear.Rows, linear.Columns);

    private static float[] Values(LinearShape linear, double sparsity, RandomWeights random)
    {
        float[] values = new float[(long)linear.Rows * linear.Columns];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.NextUniform() < sparsity ? 0 : linear.Gain * random.NextWeight();
        }

        return values;
    }

    private static PackedWeight CreateHalves(LinearShape linear, double sparsity, RandomWeights random)
    {
        ushort[] values = Array.ConvertAll(Values(linear, sparsity, random), BFloat16Bits.Round);
        fixed (ushort* source = values)
        {
            return PackedWeightBuilder.Pack(
                (byte*)source, linear.Rows, linear.Columns, ElementType.BFloat16, NativeArray.Allocate);
        }
    }

    private static PackedWeight CreateCodes(LinearShape linear, int bits, double sparsity, RandomWeights random)
    {
        int groups = (linear.Columns + WeightStorage.GroupSize - 1) / WeightStorage.GroupSize;
        long count = (long)linear.Rows * groups;
        NativeArray scales = NativeArray.Allocate(count, ElementType.BFloat16),
            zeros = NativeArray.Allocate(count, ElementType.Byte);
        float[] values = new float[(long)linear.Rows * linear.Columns];
        for (long g = 0; g < count; g++)
        {
            ushort scale = BFloat16Bits.Round(linear.Gain * ScaleOf(bits) * (0.75f + random.NextUniform() / 2));
            scales.Span<ushort>(g, 1)[0] = scale;
            // Either of the two codes in the middle, so that the mean of all weights is 0: with another mean all tokens
            // become alike from block to block.
            int zero = (1 << (bits - 1)) - (int)(random.NextBits() & 1);
            zeros.Span<byte>(g, 1)[0] = (byte)zero;
            long first = g / groups * linear.Columns + g % groups * WeightStorage.GroupSize;
            int width = Math.Min(WeightStorage.GroupSize, linear.Columns - (int)(g % groups) * WeightStorage.GroupSize);
            FillGroup(values.AsSpan((int)first, width), bits, zero, BFloat16Bits.ToSingle(scale), sparsity, random);
        }

        fixed (float* source = values)
        {
            return PackedWeightBuilder.PackCodes(
                source, new PackedGrid(bits, WeightStorage.GroupSize, linear.Rows, linear.Columns, scales, zeros),
                NativeArray.Allocate);
        }
    }

    /// <summary>Kept weights have any code but that of 0.</summary>
    private static void FillGroup(
        Span<float> group, int bits, int zero, float scale, double sparsity, RandomWeights random)
    {
        uint others = (1u << bits) - 1;
        for (int i = 0; i < group.Length; i++)
        {
            if (random.NextUniform() >= sparsity)
            {
                int code = (int)(random.NextBits() % others);
                group[i] = scale * ((code < zero ? code : code + 1) - zero);
            }
        }
    }

    /// <summary>The step at which uniform codes have the deviation of the other weights.</summary>
    private static float ScaleOf(int bits) => RandomWeights.Deviation * MathF.Sqrt(12) / (1 << bits);
}
