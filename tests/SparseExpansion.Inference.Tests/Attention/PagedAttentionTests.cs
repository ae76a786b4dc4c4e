using CsCheck;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Inference.Caching;

namespace SparseExpansion.Inference.Attention;

public sealed class PagedAttentionTests
{
    private static readonly Gen<AttentionCase> s_cases =
        from keyValueHeads in Gen.Int[1, 3]
        from @group in Gen.Int[1, 5]
        from features in Gen.Int[1, 40]
        from past in Gen.Int[0, 40]
        from count in Gen.Int[1, 12]
        from window in Gen.OneOf(Gen.Const((int?)null), Gen.Int[1, 30].Select(w => (int?)w))
        from softCap in Gen.OneOf(Gen.Const((float?)null), Gen.Float[1, 20].Select(c => (float?)c))
        from format in Gen.Enum<CacheFormat>()
        from pageTokens in Gen.Int[1, 20]
        from instructions in Gen.Enum<InstructionSet>()
        select new AttentionCase(
            keyValueHeads, @group, features, past, count, window, softCap, format, pageTokens, instructions);

    /// <summary>
    /// Against softmax over a whole row in float64. Keys and values are below 1: half a step of bfloat16 is 1/512 and of
    /// bytes 1/254, once in the values and once in the scores, which move weights by as much.
    /// </summary>
    [Fact]
    public void Run_AnyShapeWindowAndFormat_IsSoftmaxOfTheScores() => s_cases.Sample(
        c =>
        {
            using var problem = new AttentionProblem(c);
            double allowed = c.Format == CacheFormat.Float32 ? 2e-6 : 0.03;
            AssertClose(problem.Expected(), problem.Run(threads: 2), allowed);
        },
        iter: 400);

    [Fact]
    public void Run_AnyThreadsAndNeighbors_GivesTheSameBits() => s_cases.Sample(
        c =>
        {
            using var problem = new AttentionProblem(c);
            float[] together = problem.Run(threads: 1);
            Assert.Equal(together, problem.Run(threads: 4));
            Assert.Equal(together, problem.RunOneByOne());
        },
        iter: 200);

    [Fact]
    public void Run_IntoTheQueries_GivesTheSame()
    {
        using var problem = new AttentionProblem(Usual);
        Assert.Equal(problem.Run(threads: 1), problem.RunInPlace());
    }

    [Fact]
    public void Run_SecondTime_AllocatesNothing()
    {
        using var problem = new AttentionProblem(Usual);
        float[] output = problem.Run(threads: 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        problem.Run(threads: 1, output);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Run_LargeScores_DoNotOverflow()
    {
        using var problem = new AttentionProblem(Usual with { Magnitude = 1000 });
        AssertClose(problem.Expected(), problem.Run(threads: 2), 0.05);
    }

    [Fact]
    public void Run_HeadsDoNotFit_SaysWhich()
    {
        using var problem = new AttentionProblem(Usual);
        Assert.StartsWith(
            "5 query heads do not share 2 key and value heads evenly.",
            Assert.Throws<ArgumentException>("queries", () => problem.Attend(heads: 5, position: 0)).Message);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(10)]
    public void Run_PositionsNotThere_SaysWhich(int position)
    {
        using var problem = new AttentionProblem(Usual with { Past = 40, Window = 5 });
        Assert.Contains(
            "the cache has those from 32 to 47.",
            Assert.Throws<ArgumentException>("queries", () => problem.Attend(heads: 6, position)).Message,
            StringComparison.Ordinal);
    }

    private static AttentionCase Usual =>
        new(2, 3, 16, 20, 4, null, null, CacheFormat.Float32, 8, InstructionSets.Best);

    private static void AssertClose(double[] expected, float[] actual, double allowed)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= allowed, $"{i}: {actual[i]}, not {expected[i]}");
        }
    }
}
