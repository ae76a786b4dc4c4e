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
        ushort[] values = System.Array.ConvertAll(Values(linear, sparsity, random), BFloat16Bits.Round);
        fixed (ushort* source = values)
        {
            return PackedWeightBuilder.Pack(
                (byte*)source, linear.Rows, linear.Columns, ElementType.BFloat16, NativeArray.Allocate);
        }
    }

    private static PackedWeight CreateCodes(LinearShape linear, int bits, double sparsity, RandomWeights random)
    {
        RandomGrid grid = RandomGrid.Create(linear.Rows, linear.Columns, linear.Gain, bits, random);
        float[] values = new float[(long)linear.Rows * linear.Columns];
        for (int g = 0; g < grid.Scales.Length; g++)
        {
            int column = g % grid.Groups * WeightStorage.GroupSize;
            FillGroup(
                values.AsSpan(
                    g / grid.Groups * linear.Columns + column, Math.Min(WeightStorage.GroupSize, linear.Columns - column)),
                bits, grid.Zeros[g], BFloat16Bits.ToSingle(grid.Scales[g]), sparsity, random);
        }

        fixed (float* source = values)
        {
            return PackedWeightBuilder.PackCodes(
                source, new PackedGrid(bits, WeightStorage.GroupSize, linear.Rows, linear.Columns, Array(grid.Scales, ElementType.BFloat16), Array(grid.Zeros, ElementType.Byte)),
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

    private static NativeArray Array<T>(T[] values, ElementType type)
        where T : unmanaged
    {
        NativeArray array = NativeArray.Allocate(values.Length, type);
        values.CopyTo(array.Span<T>(0, values.Length));
        return array;
    }
}
