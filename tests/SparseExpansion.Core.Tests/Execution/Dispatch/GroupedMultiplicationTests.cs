using CsCheck;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution.Dispatch;

public sealed class GroupedMultiplicationTests
{
    [Fact]
    public void Run_RandomGroups_EqualsEachExpertAlone() => ExecutionCase.Generator.Sample(
        problem =>
        {
            using var scope = NewDisposeScope();
            Tensor[] weights = [.. Enumerable.Range(0, problem.Experts).Select(problem.Weight)];
            Tensor tokens = problem.StridedTokens(ScalarType.Float32);
            Tensor? bias = problem.Bias();
            long[] chosen = Chosen(problem);
            (int[] order, int[] offsets) = Group(chosen, problem.Experts);
            Tensor wide = full([problem.Tokens, problem.Rows + 3], Scalars.Of(7f));
            Tensor output = wide.narrow(1, 2, problem.Rows);
            PackedWeight[] packed = [.. weights.Select(w => PackedWeight.Pack(w))];
            Run(packed, offsets, order, tokens, output, bias, default);
            foreach (int expert in Enumerable.Range(0, problem.Experts).Where(e => chosen.Contains(e)))
            {
                using Tensor rows = tensor(Enumerable.Range(0, problem.Tokens).Where(t => chosen[t] == expert).Select(t => (long)t).ToArray());
                ExecutionCase.AssertNear(
                    ExecutionCase.Reference(tokens.index_select(0, rows), weights[expert], bias), output.index_select(0, rows));
            }

            // Nothing beside the output was written.
            Assert.True(problem.Tokens == 0 || ((wide.narrow(1, 0, 2) == Scalars.Of(7)).all() & (wide[.., ^1] == Scalars.Of(7)).all()).item<bool>());
            Array.ForEach(packed, p => p.Dispose());
        },
        iter: 30, threads: 1);

    [Theory]
    [InlineData("Expand", ScalarType.Float32)]
    [InlineData("Index", ScalarType.Float32)]
    [InlineData("Dense", ScalarType.BFloat16)]
    public void Run_OtherThreadCount_GivesTheSameBits(string kernel, ScalarType dtype)
    {
        Assert.SkipUnless(kernel != "Dense" || SerialTorch.IsAvailable, "torch's OpenMP is not to be found.");
        using var scope = NewDisposeScope();
        var problem = new ExecutionCase(4000, 2100, 90, 0.6, dtype, true, 3, 5);
        PackedWeight[] packed = [.. Enumerable.Range(0, 3).Select(e => PackedWeight.Pack(problem.Weight(e)))];
        Tensor tokens = problem.StridedTokens(dtype);
        (int[] order, int[] offsets) = Group(Chosen(problem), 3);
        Tensor first = empty([problem.Tokens, problem.Rows], dtype: dtype), other = empty([problem.Tokens, problem.Rows], dtype: dtype);
        var options = new ExecutionOptions(Enum.Parse<KernelKind>(kernel), Threads: 1);
        Run(packed, offsets, order, tokens, first, problem.Bias(), options);
        foreach (int threads in new[] { 2, 3, 8 })
        {
            Run(packed, offsets, order, tokens, other, problem.Bias(), options with { Threads = threads });
            Assert.True(first.bytes.SequenceEqual(other.bytes));
        }

        Array.ForEach(packed, p => p.Dispose());
    }

    [Fact]
    public void Run_FromManyThreadsAtOnce_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        var problem = new ExecutionCase(300, 260, 12, 0.5, ScalarType.Float32, true, 2, 6);
        PackedWeight[] packed = [.. Enumerable.Range(0, 2).Select(e => PackedWeight.Pack(problem.Weight(e)))];
        Tensor tokens = problem.StridedTokens(ScalarType.Float32);
        Tensor? bias = problem.Bias();
        (int[] order, int[] offsets) = Group(Chosen(problem), 2);
        Tensor expected = empty(problem.Tokens, problem.Rows);
        var options = new ExecutionOptions(KernelKind.Index, Threads: 4);
        Run(packed, offsets, order, tokens, expected, bias, options);
        byte[] bytes = expected.bytes.ToArray();
        int wrong = 0;
        Thread[] callers = [.. Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            using Tensor output = empty(problem.Tokens, problem.Rows);
            for (int i = 0; i < 200; i++)
            {
                using Tensor cleared = output.zero_().alias();
                Run(packed, offsets, order, tokens, output, bias, options);
                Interlocked.Add(ref wrong, output.bytes.SequenceEqual(bytes) ? 0 : 1);
            }
        }))];
        Array.ForEach(callers, c => c.Start());
        Array.ForEach(callers, c => c.Join());
        Assert.Equal(0, wrong);
        Array.ForEach(packed, p => p.Dispose());
    }

    [Fact]
    public void Run_SteadyState_AllocatesNothing()
    {
        using var scope = NewDisposeScope();
        var problem = new ExecutionCase(300, 260, 40, 0.5, ScalarType.Float32, true, 3, 6);
        PackedWeight[] packed = [.. Enumerable.Range(0, 3).Select(e => PackedWeight.Pack(problem.Weight(e)))];
        (int[] order, int[] offsets) = Group(Chosen(problem), 3);
        MatrixView tokens = MatrixView.Of(problem.StridedTokens(ScalarType.Float32));
        MatrixView output = MatrixView.Of(empty(problem.Tokens, problem.Rows));
        MatrixView bias = MatrixView.Of(problem.Bias()!);
        foreach (ExecutionOptions options in new ExecutionOptions[]
            { new(KernelKind.Expand, Threads: 1), new(KernelKind.Index, Threads: 1), new(KernelKind.Expand, Threads: 2), new(KernelKind.Index, Threads: 2) })
        {
            long least = long.MaxValue;
            for (int window = 0; window < 10; window++)
            {
                // The runtime allocates now and then when a thread first waits or a method
                // is compiled again; a window without is proof.
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < 10; i++)
                {
                    GroupedMultiplication.Run(packed, offsets, order, tokens, output, bias, options);
                }

                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.True(least == 0, $"{least} bytes with {options}");
        }

        Array.ForEach(packed, p => p.Dispose());
    }

    [Theory]
    [InlineData("Index", 900)]
    [InlineData("Index", 1)]
    [InlineData("Expand", 900)]
    [InlineData("Dense", 300)]
    public void Run_MoreTokensThanAPassHolds_EqualsDense(string kernel, int count)
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = [.. Enumerable.Range(0, 3).Select(_ => randn(3, 20_000) * (rand(3, 20_000) >= Scalars.Of(0.9)))];
        PackedWeight[] packed = [.. weights.Select(w => PackedWeight.Pack(w))];
        Tensor tokens = randn(count + 130, 20_000), output = empty(count + 130, 3);
        int[] offsets = [0, 70, 70 + count, 130 + count], order = [.. Enumerable.Range(0, count + 130).Reverse()];
        Run(packed, offsets, order, tokens, output, null, new ExecutionOptions(Enum.Parse<KernelKind>(kernel)));
        for (int expert = 0; expert < 3; expert++)
        {
            Tensor rows = tensor(order[offsets[expert]..offsets[expert + 1]].Select(t => (long)t).ToArray());
            ExecutionCase.AssertNear(
                ExecutionCase.Reference(tokens.index_select(0, rows), weights[expert], null), output.index_select(0, rows));
        }

        Array.ForEach(packed, p => p.Dispose());
    }

    [Fact]
    public void Run_BadInput_Throws()
    {
        using var scope = NewDisposeScope();
        using PackedWeight packed = PackedWeight.Pack(randn(4, 6));
        using PackedWeight narrow = PackedWeight.Pack(randn(4, 5)), low = PackedWeight.Pack(randn(3, 6)), half = PackedWeight.Pack(randn(4, 6).to(ScalarType.BFloat16));
        Tensor tokens = randn(2, 6), output = empty(2, 4);
        Assert.Throws<ArgumentException>(() => Run([], [0], [], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => Run([packed], [0, 1], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => Run([packed], [1, 2], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run([packed, packed], [0, 3, 2], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => Run([packed, narrow], [0, 1, 2], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => Run([packed, low], [0, 1, 2], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => Run([packed, half], [0, 1, 2], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => Run([packed], [0, 1, 2], [0, 1], tokens, output, null, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => Run([packed], [0, 2], [0, -1], tokens, output, null, default));
        Assert.Throws<ArgumentException>(() => MatrixView.Of(randn(3, 4).t()));
        Assert.Throws<ArgumentException>(() => MatrixView.Of(zeros([3, 4], dtype: ScalarType.Int32)));
    }

    private static void Run(
        PackedWeight[] experts, int[] offsets, int[] order, Tensor tokens, Tensor output, Tensor? bias, ExecutionOptions options) =>
        GroupedMultiplication.Run(
            experts, offsets, order, MatrixView.Of(tokens), MatrixView.Of(output), bias is null ? MatrixView.None : MatrixView.Of(bias),
            TorchProduct.Options(options));

    private static long[] Chosen(ExecutionCase problem)
    {
        var random = new Random(problem.Seed);
        return [.. Enumerable.Range(0, problem.Tokens).Select(_ => random.NextInt64(problem.Experts))];
    }

    private static (int[] Order, int[] Offsets) Group(long[] chosen, int experts)
    {
        var order = new int[chosen.Length];
        var offsets = new int[experts + 1];
        TokenGrouping.Sort(chosen, order, offsets);
        return (order, offsets);
    }
}
