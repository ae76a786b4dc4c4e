using CsCheck;
using SparseExpansion.Execution.Kernels;

namespace SparseExpansion.Execution;

/// <summary>Dense weights in codes.</summary>
public sealed class QuantizedWeightTests
{
    private static readonly int?[] s_groups = [64, 128, null];

    private static Gen<(int Rows, int Columns, int Bits, int? Group, int Seed)> Shapes { get; } =
        from rows in Gen.Int[1, 9]
        from columns in Gen.OneOf(Gen.Const(130), Gen.Int[1, 400])
        from bits in Gen.OneOf(Gen.Const(2), Gen.Const(3), Gen.Const(4), Gen.Const(8))
        from @group in Gen.Int[0, 2]
        from seed in Gen.Int[0, 100_000]
        select (rows, columns, bits, s_groups[@group], seed);

    [Fact]
    public void Quantize_AnyShape_GivesTheNearestValuesOfTheGroupsRange() => Shapes.Sample(
        problem =>
        {
            float[] weight = Random(problem.Rows * problem.Columns, problem.Seed);
            using QuantizedWeight quantized = QuantizedWeight.Quantize(weight, problem.Rows, problem.Columns, problem.Bits, problem.Group);
            float[] actual = new float[weight.Length];
            quantized.Dequantize(0, actual);
            Assert.Equal(Reference(weight, problem.Columns, problem.Bits, problem.Group), actual);
            Assert.Equal(QuantizedWeight.CodeLength(problem.Rows, problem.Columns, problem.Bits), quantized.Codes.Length);
        },
        iter: 200,
        threads: 1);

    [Fact]
    public void FromArrays_StoredArrays_GivesTheSameRows() => Shapes.Sample(
        problem =>
        {
            using QuantizedWeight made = QuantizedWeight.Quantize(
                Random(problem.Rows * problem.Columns, problem.Seed), problem.Rows, problem.Columns, problem.Bits, problem.Group);
            using QuantizedWeight read = QuantizedWeight.FromArrays(
                Copy<byte>(made.Codes), new PackedGrid(problem.Bits, problem.Group, problem.Rows, problem.Columns, Copy<ushort>(made.Grid.Scales), Copy<byte>(made.Grid.Zeros)));
            float[] expected = new float[problem.Columns], actual = new float[problem.Columns];
            for (int row = 0; row < problem.Rows; row++)
            {
                made.Dequantize(row, expected);
                read.Dequantize(row, actual);
                Assert.Equal(expected, actual);
            }

            Assert.Equal(made.StoredBytes, read.StoredBytes);
        },
        iter: 60,
        threads: 1);

    [Fact]
    public void Encode_OwnValues_GivesTheSameCodes() => Shapes.Sample(
        problem =>
        {
            float[] weight = Random(problem.Rows * problem.Columns, problem.Seed);
            using QuantizedWeight first = QuantizedWeight.Quantize(weight, problem.Rows, problem.Columns, problem.Bits, problem.Group);
            first.Dequantize(0, weight);
            using QuantizedWeight second = QuantizedWeight.Encode(
                weight, new PackedGrid(problem.Bits, problem.Group, problem.Rows, problem.Columns, Copy<ushort>(first.Grid.Scales), Copy<byte>(first.Grid.Zeros)));
            Assert.Equal(first.Codes.Span<byte>(0, (int)first.Codes.Length), second.Codes.Span<byte>(0, (int)second.Codes.Length));
        },
        iter: 60,
        threads: 1);

    [Theory]
    [InlineData(2, 128, 0.28)]
    [InlineData(3, 128, 0.41)]
    [InlineData(4, 128, 0.53)]
    [InlineData(4, 64, 0.56)]
    [InlineData(8, null, 1.02)]
    public void StoredBytes_LargeWeight_AreThoseOfCodesAndScales(int bits, int? group, double most)
    {
        using QuantizedWeight quantized = QuantizedWeight.Quantize(new float[64 * 1024], 64, 1024, bits, group);
        Assert.InRange(quantized.StoredBytes / (64.0 * 1024), bits / 8.0, most);
        Assert.Equal((64, 1024, bits), (quantized.Rows, quantized.Columns, quantized.Bits));
    }

    [Fact]
    public void Quantize_GroupOfZeros_StaysZero()
    {
        using QuantizedWeight quantized = QuantizedWeight.Quantize(new float[130], 1, 130, 3, 64);
        float[] actual = Random(130, 1);
        quantized.Dequantize(0, actual);
        Assert.All(actual, value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(0, 4, 4, null)]
    [InlineData(1, 0, 4, null)]
    [InlineData(2, 4, 4, null)]
    [InlineData(1, 4, 5, null)]
    [InlineData(1, 4, 4, 32)]
    [InlineData(1, 4, 4, 0)]
    public void Quantize_NumbersThatDescribeNoWeight_Throws(int rows, int columns, int bits, int? group) =>
        Assert.ThrowsAny<ArgumentException>(() => QuantizedWeight.Quantize(new float[4], rows, columns, bits, group));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Quantize_WeightThatIsNotFinite_NamesItsRow(float value)
    {
        float[] weight = Random(3 * 70, 5);
        weight[(2 * 70) + 65] = value;
        Assert.Contains("Row 2", Assert.Throws<ArgumentException>(() => QuantizedWeight.Quantize(weight, 3, 70, 4, 64)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromArrays_DamagedArrays_SaysWhatIsWrong()
    {
        using QuantizedWeight good = QuantizedWeight.Quantize(Random(3 * 130, 2), 3, 130, 3, 64);
        Assert.Contains("codes must be", Refused(NativeArray.Allocate(good.Codes.Length - 1, ElementType.Byte), good.Grid), StringComparison.Ordinal);
        Assert.Contains("codes must be", Refused(NativeArray.Allocate(good.Codes.Length, ElementType.Float32), good.Grid), StringComparison.Ordinal);
        good.Grid.Zeros.Span<byte>(4, 1)[0] = 8;
        Assert.Contains("zero point 8", Refused(Copy<byte>(good.Codes), good.Grid), StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => QuantizedWeight.FromArrays(null!, good.Grid));
        Assert.Throws<ArgumentNullException>(() => QuantizedWeight.FromArrays(good.Codes, null!));
    }

    [Fact]
    public void Grid_ArraysOfAnotherShape_IsRefused()
    {
        NativeArray scales = NativeArray.Allocate(9, ElementType.BFloat16), zeros = NativeArray.Allocate(9, ElementType.Byte);
        Assert.Throws<ArgumentException>(() => new PackedGrid(4, 64, 3, 200, scales, zeros));
        Assert.Throws<ArgumentException>(() => new PackedGrid(4, 64, 3, 130, zeros, scales));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PackedGrid(6, 64, 3, 130, scales, zeros));
        scales.Dispose();
        zeros.Dispose();
    }

    [Theory]
    [InlineData(0, 131)]
    [InlineData(-1, 130)]
    [InlineData(2, 260)]
    public void Dequantize_SpanOfOtherRows_Throws(int firstRow, int length)
    {
        using QuantizedWeight quantized = QuantizedWeight.Quantize(Random(3 * 130, 2), 3, 130, 4, null);
        Assert.Throws<ArgumentException>(() => quantized.Dequantize(firstRow, new float[length]));
    }

    [Fact]
    public void Dispose_FreesEverything()
    {
        QuantizedWeight quantized = QuantizedWeight.Quantize(Random(130, 2), 1, 130, 4, null);
        quantized.Dispose();
        quantized.Dispose();
        Assert.Throws<ObjectDisposedException>(() => quantized.Dequantize(0, new float[130]));
        Assert.All(
            [quantized.Codes, quantized.Grid.Scales, quantized.Grid.Zeros],
            array => Assert.Equal<nuint>(0, ((Memory.NativeBuffer)array.Owner!).Length));
    }

    private static string Refused(NativeArray codes, PackedGrid grid)
    {
        using (codes)
        {
            return Assert.Throws<CheckpointException>(() => QuantizedWeight.FromArrays(codes, grid)).Message;
        }
    }

    /// <summary>The definition, in double precision but for the stored scale.</summary>
    private static float[] Reference(float[] weight, int columns, int bits, int? group)
    {
        float[] values = new float[weight.Length];
        int width = group ?? columns, largest = (1 << bits) - 1;
        foreach (int[] indices in Enumerable.Range(0, weight.Length).GroupBy(i => (i / columns, i % columns / width)).Select(indices => indices.ToArray()))
        {
            float minimum = Math.Min(0, indices.Min(i => weight[i])), maximum = Math.Max(0, indices.Max(i => weight[i]));
            float scale = BitConverter.UInt32BitsToSingle((uint)BFloat16Format.Round((maximum - minimum) / largest) << 16);
            scale = scale == 0 ? 1 : scale;
            double zero = Math.Clamp(Math.Round((double)(-minimum / scale)), 0, largest);
            foreach (int i in indices)
            {
                double code = Math.Clamp(Math.Round((double)(weight[i] / scale)) + zero, 0, largest);
                values[i] = (float)(scale * (code - zero));
            }
        }

        return values;
    }

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 3) - 1))];
    }

    private static NativeArray Copy<T>(NativeArray array)
        where T : unmanaged
    {
        NativeArray copy = NativeArray.Allocate(array.Length, array.Type);
        array.Span<T>(0, (int)array.Length).CopyTo(copy.Span<T>(0, (int)array.Length));
        return copy;
    }
}
