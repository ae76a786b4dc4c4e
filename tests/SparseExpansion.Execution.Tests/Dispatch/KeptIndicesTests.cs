using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>The memory that experts take beside their stored arrays once they have been used.</summary>
public sealed class KeptIndicesTests
{
    private const int Experts = 6;

    [Theory]
    [InlineData(128, ElementType.Float32)]
    [InlineData(512, ElementType.Float32)]
    [InlineData(512, ElementType.BFloat16)]
    public void Run_HalfSparseExperts_KeepNothingBesideTheirArrays(int size, ElementType type)
    {
        PackedWeight[] experts = [.. Enumerable.Range(0, Experts).Select(seed => Pack(size, size, 0.5, seed, type))];
        foreach (int tokens in (int[])[1, 4, 64])
        {
            for (int pass = 0; pass < 3; pass++)
            {
                Multiply(experts, tokens, default);
                Assert.Equal(0, experts.Sum(expert => expert.DerivedBytes));
            }
        }

        Array.ForEach(experts, expert => expert.Dispose());
    }

    [Fact]
    public void Choose_AnyWeight_KeepsNothingOfTheMeasurement()
    {
        using PackedWeight weight = Pack(600, 512, 0.9, 1);
        foreach (int tokens in (int[])[1, 4, 64])
        {
            KernelSelector.Choose(weight, tokens, false, new ExecutionOptions(Threads: 1));
        }

        Assert.Equal(0, weight.DerivedBytes);
    }

    [Theory]
    [InlineData(0.5, ElementType.Float32, false)]
    [InlineData(0.75, ElementType.Float32, true)]
    [InlineData(0.9, ElementType.BFloat16, true)]
    public void MayKeepIndices_Sparsities_OnlyWhereTheyAreFew(double sparsity, ElementType type, bool expected)
    {
        using PackedWeight weight = Pack(70, 300, sparsity, 2, type);

        Assert.Equal(expected, KernelCalibration.MayKeepIndices(weight));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void Run_ListedOrKeptIndices_GiveTheSameBitsAndCountWhatIsKept(int tokens)
    {
        using PackedWeight weight = Pack(300, 200, 0.8, 3);
        float[] listed = Multiply([weight], tokens, new ExecutionOptions(KernelKind.Index, Threads: 1));
        Assert.Equal(0, weight.DerivedBytes);

        float[] kept = Multiply([weight], tokens, new ExecutionOptions(KernelKind.KeptIndex, Threads: 1));

        Assert.Equal(listed, kept);
        Assert.Equal(PackedIndices.BytesOf(weight.Layout, weight.NonZeroCount), weight.DerivedBytes);
        Assert.Equal(weight.NonZeroCount + 64 + (2 * weight.Layout.RowBlockCount), weight.DerivedBytes);
        Assert.Equal(listed, Multiply([weight], tokens, new ExecutionOptions(KernelKind.Index, Threads: 1)));
    }

    [Fact]
    public void Run_ArraysChangedAfterIndicesWereKept_UsesTheNewOnes()
    {
        // One column in four each, but not the same ones: the arrays have equal lengths.
        using PackedWeight weight = PackEvery(4, 0), other = PackEvery(4, 1);
        var options = new ExecutionOptions(KernelKind.KeptIndex, Threads: 1);
        float[] before = Multiply([weight], 3, options), expected = Multiply([other], 3, options);
        Assert.NotEqual(expected, before);

        Copy<float>(other.Arrays.Values, weight.Arrays.Values);
        Copy<byte>(other.Arrays.Masks, weight.Arrays.Masks);
        Copy<byte>(other.Arrays.RowOrder, weight.Arrays.RowOrder);
        weight.ExpectChanges();

        Assert.Equal(expected, Multiply([weight], 3, options));
    }

    private static void Copy<T>(NativeArray from, NativeArray to)
        where T : unmanaged => from.Span<T>(0, (int)from.Length).CopyTo(to.Span<T>(0, (int)to.Length));

    /// <summary>Every expert gets so many tokens; the first expert's results.</summary>
    private static float[] Multiply(PackedWeight[] experts, int tokens, ExecutionOptions options)
    {
        int rows = experts[0].Rows, columns = experts[0].Columns, all = experts.Length * tokens;
        using NativeArray input = NativeArray.Allocate((long)all * columns, ElementType.Float32);
        using NativeArray output = NativeArray.Allocate((long)all * rows, ElementType.Float32);
        var random = new Random(5);
        foreach (ref float value in input.Span<float>(0, all * columns))
        {
            value = random.NextSingle() - 0.5f;
        }

        GroupedMultiplication.Run(
            experts, [.. Enumerable.Range(0, experts.Length + 1).Select(expert => expert * tokens)],
            [.. Enumerable.Range(0, all)], new MatrixView(input.Address, columns, ElementType.Float32),
            new MatrixView(output.Address, rows, ElementType.Float32), MatrixView.None, options);
        return output.Span<float>(0, tokens * rows).ToArray();
    }

    private static PackedWeight PackEvery(int every, int first)
    {
        float[] weight = [.. Enumerable.Range(0, 64 * 256).Select(i => i % every == first ? 1f + i : 0)];
        return PackedWeight.Pack(weight, 64, 256);
    }

    private static unsafe PackedWeight Pack(
        int rows, int columns, double sparsity, int seed, ElementType type = ElementType.Float32)
    {
        var random = new Random(seed);
        float[] weight = [.. Enumerable.Range(0, rows * columns)
            .Select(_ => random.NextDouble() < sparsity ? 0 : random.NextSingle() + 0.1f)];
        if (type == ElementType.Float32)
        {
            return PackedWeight.Pack(weight, rows, columns);
        }

        ushort[] halves = [.. weight.Select(BFloat16Format.Round)];
        fixed (ushort* source = halves)
        {
            return PackedWeightBuilder.Pack((byte*)source, rows, columns, type, NativeArray.Allocate);
        }
    }
}
