using CsCheck;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class NMPackedWeightTests
{
    [Fact]
    public void Unpack_AfterPack_IsExact() => Gen.Select(Gen.Int[2, 16], Gen.Int[1, 16], Gen.Int[1, 6], Gen.Int[1, 5], Gen.Int[0, 999]).Sample(
        (groupSize, wanted, groups, rows, seed) =>
        {
            using var scope = NewDisposeScope();
            int keep = Math.Min(wanted, groupSize);
            Tensor weight = Random(rows, groups, keep, groupSize, seed, seed % 2 == 0 ? ScalarType.Float32 : ScalarType.BFloat16);
            using NMPackedWeight packed = NMPackedWeight.Pack(weight, keep, groupSize);
            Assert.True(weight.equal(packed.Unpack()).all().item<bool>());
            Assert.Equal([rows, (long)groups * keep], packed.Values.shape);
            using PackedWeight bits = packed.ToPacked();
            Assert.True(weight.equal(bits.Unpack()).all().item<bool>());
        },
        iter: 100, threads: 1);

    [Fact]
    public void Pack_TwoOfFour_TakesTwoBitsForEachPosition()
    {
        using Tensor weight = tensor(new float[] { 0, 1, 0, 2, 3, 0, 4, 0, 0, 0, 5, 0 }).reshape(1, 12);
        using NMPackedWeight packed = NMPackedWeight.Pack(weight, 2, 4);
        Assert.Equal([1f, 2f, 3f, 4f, 0f, 5f], packed.Values.data<float>().ToArray());

        // Positions 1 3 | 0 2 | 0 2 in two bits each, lowest first.
        Assert.Equal([0b10_00_11_01, 0b10_00], packed.Positions.data<byte>().ToArray());
    }

    [Fact]
    public void Pack_TooManyNonZeros_SaysWhere()
    {
        using Tensor weight = tensor(new float[] { 0, 1, 0, 2, 0, 0, 0, 0, 0, 1, 2, 0, 0, 5, 6, 7 }).reshape(2, 8);
        Assert.Contains(
            "Row 1 has 3 non-zeros in the 4 columns from 4 on, more than 2:4 allows.",
            Assert.Throws<ArgumentException>(() => NMPackedWeight.Pack(weight, 2, 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_LargestAndSmallestGroups_AreTaken()
    {
        using var scope = NewDisposeScope();
        foreach ((int keep, int groupSize) in new[] { (1, 2), (2, 2), (16, 16), (1, 16) })
        {
            using NMPackedWeight packed = NMPackedWeight.Pack(zeros(2, 32), keep, groupSize);
            Assert.Equal(0, packed.Unpack().count_nonzero().item<long>());
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => NMPackedWeight.Pack(zeros(2, 4), 1, 1));
        Assert.Throws<ArgumentException>(() => NMPackedWeight.Pack(zeros(0, 4), 2, 4));
    }

    [Fact]
    public void Pack_BadInput_Throws()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentNullException>(() => NMPackedWeight.Pack(null!, 2, 4));
        Assert.Throws<ArgumentException>(() => NMPackedWeight.Pack(ones(2, 4), 2, 4));
        Assert.Throws<ArgumentException>(() => NMPackedWeight.Pack(zeros(2, 6), 2, 4));
        Assert.Throws<ArgumentException>(() => NMPackedWeight.Pack(zeros(4), 2, 4));
        Assert.Throws<ArgumentException>(() => NMPackedWeight.Pack(zeros([2, 4], dtype: ScalarType.Float64), 2, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => NMPackedWeight.Pack(zeros(2, 4), 0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => NMPackedWeight.Pack(zeros(2, 4), 5, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => NMPackedWeight.Pack(zeros(2, 34), 2, 17));
    }

    [Fact]
    public void Unpack_Disposed_Throws()
    {
        using Tensor weight = zeros(2, 8);
        NMPackedWeight packed = NMPackedWeight.Pack(weight, 2, 4);
        packed.Dispose();
        Assert.Throws<ObjectDisposedException>(packed.Unpack);
        Assert.Throws<ObjectDisposedException>(packed.ToPacked);
    }

    [Fact]
    public void PackUnpack_LeaveNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor weight = zeros(2, 8);
        using NMPackedWeight packed = NMPackedWeight.Pack(weight, 2, 4);
        using Tensor dense = packed.Unpack();
    });

    private static Tensor Random(int rows, int groups, int keep, int groupSize, int seed, ScalarType dtype)
    {
        var random = new Random(seed);
        var values = new float[rows * groups * groupSize];
        for (int group = 0; group < rows * groups; group++)
        {
            foreach (int position in Enumerable.Range(0, groupSize).OrderBy(_ => random.Next()).Take(random.Next(keep + 1)))
            {
                values[group * groupSize + position] = random.Next(1, 100);
            }
        }

        return tensor(values).reshape(rows, groups * groupSize).to(dtype);
    }
}
