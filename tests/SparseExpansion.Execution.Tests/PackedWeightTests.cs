namespace SparseExpansion.Execution;

/// <summary>Packed weights in a process without libtorch.</summary>
public sealed class PackedWeightTests
{
    private const int Rows = 130;
    private const int Columns = 270;

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void Unpack_AfterPack_IsExact(double sparsity)
    {
        float[] weight = Weight(sparsity), back = new float[weight.Length];
        using PackedWeight packed = PackedWeight.Pack(weight, Rows, Columns);
        packed.Unpack(back);

        Assert.Equal(weight, back);
        Assert.Equal(weight.Count(value => value != 0), packed.NonZeroCount);
        Assert.Equal(ElementType.Float32, packed.DType);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(64)]
    public void Multiply_Tokens_EqualsDoublePrecision(int count)
    {
        float[] weight = Weight(0.6), tokens = Random(count * Columns, 7);
        float[] bias = Random(Rows, 8), output = new float[count * Rows];
        using PackedWeight packed = PackedWeight.Pack(weight, Rows, Columns);
        packed.Multiply(tokens, output, bias);

        for (int token = 0; token < count; token++)
        {
            for (int row = 0; row < Rows; row++)
            {
                double expected = bias[row], magnitude = Math.Abs(expected);
                for (int column = 0; column < Columns; column++)
                {
                    double product = (double)weight[(row * Columns) + column] * tokens[(token * Columns) + column];
                    expected += product;
                    magnitude += Math.Abs(product);
                }

                Assert.True(
                    Math.Abs(output[(token * Rows) + row] - expected) <= magnitude * Math.Pow(2, -18),
                    $"token {token}, row {row}: {output[(token * Rows) + row]}, expected {expected}");
            }
        }
    }

    /// <summary>
    /// Large enough to be measured: the choice among the kernels needs no dense product of somebody else's.
    /// </summary>
    [Fact]
    public void Multiply_LargeWeight_ChoosesAKernelOfItsOwn()
    {
        const int size = 512;
        float[] weight = Random(size * size, 3), tokens = new float[size], output = new float[size];
        tokens[5] = 1;
        using PackedWeight packed = PackedWeight.Pack(weight, size, size);
        packed.Multiply(tokens, output);

        Assert.Equal(Enumerable.Range(0, size).Select(row => weight[(row * size) + 5]), output);
    }

    [Fact]
    public void PackMultiplyUnpack_BadLengths_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => PackedWeight.Pack([], 0, 1));
        Assert.Throws<ArgumentException>("weight", () => PackedWeight.Pack(new float[5], 2, 3));
        using PackedWeight packed = PackedWeight.Pack(new float[6], 2, 3);
        Assert.Throws<ArgumentException>("dense", () => packed.Unpack(new float[5]));
        Assert.Throws<ArgumentException>("tokens", () => packed.Multiply(new float[4], new float[2]));
        Assert.Throws<ArgumentException>("output", () => packed.Multiply(new float[3], new float[3]));
        Assert.Throws<ArgumentException>("bias", () => packed.Multiply(new float[3], new float[2], new float[3]));
    }

    [Fact]
    public void FromArrays_OfAnotherWeight_MultipliesAlike()
    {
        float[] weight = Weight(0.7), back = new float[weight.Length];
        using PackedWeight packed = PackedWeight.Pack(weight, Rows, Columns);
        PackedArrays arrays = packed.Arrays;
        using PackedWeight again = PackedWeight.FromArrays(new PackedArrays(
            Rows, Columns, arrays.BlockColumns, arrays.PanelRows, Borrow(arrays.Values), Borrow(arrays.Masks), Borrow(arrays.RowOrder), Borrow(arrays.PanelOffsets)));
        again.Unpack(back);

        Assert.Equal(weight, back);
        Assert.Equal(packed.StoredBytes, again.StoredBytes);

        static NativeArray Borrow(NativeArray array) => new(array.Address, array.Length, array.Type, null);
    }

    /// <summary>
    /// Whatever the check of one thread may have seen, arrays that were handed out meanwhile are checked again.
    /// </summary>
    [Fact]
    public void Verify_ChangesDuringTheCheck_AreCheckedToo()
    {
        const int size = 1024;
        using PackedWeight packed = PackedWeight.Pack(Random(size * size, 5), size, size);
        Span<long> offset = packed.Arrays.PanelOffsets.Span<long>(0, 1);
        for (int round = 0; round < 200; round++)
        {
            packed.ExpectChanges();
            using var begun = new ManualResetEventSlim();
            var check = new Thread(() =>
            {
                begun.Set();
                Record.Exception(packed.Verify);
            });
            check.Start();
            begun.Wait(TestContext.Current.CancellationToken);
            Thread.SpinWait(10 * round);
            packed.ExpectChanges();
            offset[0] = 1;
            check.Join();

            Assert.Throws<CheckpointException>(packed.Verify);
            Assert.Throws<CheckpointException>(packed.Verify); // A failed check is not forgotten.
            offset[0] = 0;
            packed.Verify();
        }
    }

    private static float[] Weight(double sparsity)
    {
        var random = new Random(1);
        return [.. Random(Rows * Columns, 2).Select(value => random.NextDouble() < sparsity ? 0 : value)];
    }

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() + 0.01) * (random.Next(2) == 0 ? 1 : -1))];
    }
}
