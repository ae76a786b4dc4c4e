using CsCheck;
using SparseExpansion.Execution.LowBit.Paths;
using SparseExpansion.Execution.LowBit.Strips;
using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.Tiling;

namespace SparseExpansion.Execution.LowBit;

/// <summary>Integer products of codes, on every path that this processor has, against plain loops.</summary>
public sealed unsafe class LowBitMultiplicationTests
{
    private static readonly LowBitPath[] s_paths = [.. Enum.GetValues<LowBitPath>().Where(LowBitPaths.IsSupported)];

    private static readonly Gen<(int Rows, int Columns, int Bits, int? Group, double Sparsity, int Tokens, int Seed)> s_problems =
        Gen.Select(
            Gen.Int[1, 270], Gen.Int[1, 700], Choice.Of(2, 3, 4, 8), Choice.Of<int?>(64, 128, null),
            Choice.Of(0, 0.3, 0.5, 0.9, 1), Gen.Int[1, 7], Gen.Int[0, 1_000_000]);

    [Fact]
    public void Run_OfExperts_IsTheProductOfTheRoundedTokens() =>
        s_problems.Sample(
            p =>
            {
                using var problem = new LowBitProblem(p.Rows, p.Columns, p.Bits, p.Group, p.Sparsity, p.Tokens, p.Seed);
                (double[] expected, double[] magnitudes) = problem.Reference(problem.PackedValues);
                foreach (LowBitPath path in s_paths)
                {
                    AssertClose(expected, magnitudes, Experts(problem, path, threads: 2), path);
                }
            },
            iter: 60);

    [Fact]
    public void Run_OfDenseCodes_IsTheProductOfTheRoundedTokens() =>
        s_problems.Sample(
            p =>
            {
                using var problem = new LowBitProblem(p.Rows, p.Columns, p.Bits, p.Group, 0, p.Tokens, p.Seed);
                (double[] expected, double[] magnitudes) = problem.Reference(problem.DenseValues);
                foreach (LowBitPath path in s_paths)
                {
                    AssertClose(expected, magnitudes, DenseCodes(problem, path, threads: 2), path);
                }
            },
            iter: 60);

    [Fact]
    public void Run_OfStrips_IsTheProductOfTheRoundedTokens() =>
        s_problems.Where(p => p.Bits < 8).Sample(
            p =>
            {
                using var problem = new LowBitProblem(p.Rows, p.Columns, p.Bits, p.Group, p.Sparsity, p.Tokens, p.Seed);
                (double[] expected, double[] magnitudes) = problem.Reference(problem.PackedValues);
                using StripWeight strips = StripPacker.Of(problem.Packed, LowBitPaths.Best);
                foreach (LowBitPath path in s_paths)
                {
                    AssertClose(expected, magnitudes, Strips(problem, strips, path, problem.Order), path);
                }
            },
            iter: 60);

    /// <summary>Sums of 16 bits hold the largest codes and tokens.</summary>
    [Fact]
    public void Run_OfStripsOfTheLargestCodes_DoesNotOverflow()
    {
        float[] weight = [.. Enumerable.Repeat(15f, 16 * 512)], tokens = [.. Enumerable.Repeat(127f, 512)];
        using QuantizedWeight codes = QuantizedWeight.Quantize(weight, 16, 512, 4, 128);
        using StripWeight strips = StripPacker.Of(codes, LowBitPaths.Best);
        using var rounded = new RoundedTokens();
        fixed (float* x = tokens)
        {
            rounded.Round(new MatrixView((nint)x, 512, ElementType.Float32), 1, 512);
        }

        foreach (LowBitPath path in s_paths)
        {
            float[] output = new float[16];
            fixed (float* y = output)
            {
                new LowBitMultiplication { Path = path }.Run(
                    [strips], [0, 1], [0], rounded, new MatrixView((nint)y, 16, ElementType.Float32), MatrixView.None);
            }

            Assert.All(output, value => Assert.Equal(512 * 15 * 127, value, 10f));
        }
    }

    /// <summary>However many tokens there are, strips give each of them the same.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(null)]
    public void Run_OfStripsAndOneTokenOrMany_IsTheSame(int? group)
    {
        using var problem = new LowBitProblem(70, 700, 4, group, 0, 39, seed: 8);
        using StripWeight strips = StripPacker.Of(problem.Dense, LowBitPaths.Best);

        foreach (LowBitPath path in s_paths)
        {
            float[] all = Strips(problem, strips, path, problem.Order);
            for (int token = 0; token < problem.Count; token++)
            {
                Range row = (token * problem.Rows)..((token + 1) * problem.Rows);
                Assert.Equal(all[row], Strips(problem, strips, path, [token])[row]);
            }
        }
    }

    [Fact]
    public void Run_OfTokensOfSeveralDenseExperts_GivesEachItsOwn()
    {
        using var first = new LowBitProblem(130, 256, 8, 128, 0, 4, seed: 1);
        using var second = new LowBitProblem(130, 256, 8, 128, 0, 4, seed: 2);

        AssertEachItsOwn<QuantizedWeight>([first.Dense, second.Dense], first, first.DenseValues, second.DenseValues);
    }

    /// <summary>A token's outputs do not depend on the threads, and within its kernel not on the other tokens.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Run_WithOtherThreads_IsTheSame(int tokens)
    {
        using var problem = new LowBitProblem(300, 700, 4, 128, 0.5, tokens, seed: 3);

        foreach (LowBitPath path in s_paths)
        {
            Assert.Equal(Experts(problem, path, threads: 1), Experts(problem, path, threads: 4));
            Assert.Equal(DenseCodes(problem, path, threads: 1), DenseCodes(problem, path, threads: 4));
        }
    }

    /// <summary>What rounding tokens to eight bits costs: half a step a feature at most, about a hundredth here.</summary>
    [Fact]
    public void Run_OfManyColumns_IsNearTheExactProduct()
    {
        using var problem = new LowBitProblem(64, 2048, 4, 128, 0.5, 4, seed: 5);
        double[] exact = problem.Exact(problem.PackedValues);

        float[] rounded = Experts(problem, LowBitPaths.Best, threads: 2);

        double error = Math.Sqrt(exact.Zip(rounded, (a, b) => (a - b) * (a - b)).Sum());
        Assert.InRange(error / Math.Sqrt(exact.Sum(value => value * value)), 1e-5, 0.02);
    }

    [Fact]
    public void Run_OfTokensOfSeveralExperts_GivesEachItsOwn()
    {
        using var first = new LowBitProblem(130, 256, 4, 64, 0.5, 4, seed: 1);
        using var second = new LowBitProblem(130, 256, 4, 64, 0.5, 4, seed: 2);

        AssertEachItsOwn<PackedWeight>([first.Packed, second.Packed], first, first.PackedValues, second.PackedValues);
    }

    [Fact]
    public void Run_WithABias_AddsIt()
    {
        using var problem = new LowBitProblem(5, 64, 8, null, 0.5, 1, seed: 1);
        float[] bias = [1, 2, 3, 4, 5], output = new float[5];

        fixed (float* y = output, b = bias)
        {
            new LowBitMultiplication().Run(
                [problem.Packed], [0, 1], [0], problem.Rounded, new MatrixView((nint)y, 5, ElementType.Float32),
                new MatrixView((nint)b, 0, ElementType.Float32));
        }

        float[] plain = Experts(problem, LowBitPaths.Best, 1);
        Assert.Equal(plain.Zip(bias, (value, add) => value + add), output);
    }

    [Fact]
    public void Run_OfTokensOfAnotherWidth_IsRefused()
    {
        using var problem = new LowBitProblem(5, 64, 4, null, 0.5, 1, seed: 1);
        using var other = new LowBitProblem(5, 65, 4, null, 0.5, 1, seed: 1);

        Assert.Throws<ArgumentException>(() => new LowBitMultiplication().Run([problem.Packed], [0, 1], [0], other.Rounded, default, MatrixView.None));
        Assert.Throws<ArgumentException>(() => new LowBitMultiplication().Run(problem.Dense, [0], other.Rounded, default, MatrixView.None));
    }

    [Fact]
    public void Run_WithOffsetsThatDoNotCoverTheTokens_IsRefused()
    {
        using var problem = new LowBitProblem(5, 64, 4, null, 0.5, 2, seed: 1);

        Assert.Throws<ArgumentException>(() => new LowBitMultiplication().Run([problem.Packed], [0, 1], [0, 1], problem.Rounded, default, MatrixView.None));
        Assert.Throws<ArgumentException>(() => new LowBitMultiplication().Run([problem.Dense], [0, 2, 2], [0, 1], problem.Rounded, default, MatrixView.None));
    }

    [Fact]
    public void Run_OfValues_IsRefused()
    {
        using var problem = new LowBitProblem(5, 64, 4, null, 0.5, 1, seed: 1);
        using PackedWeight values = PackedWeight.Pack(problem.PackedValues, 5, 64);

        Assert.Throws<ArgumentException>(() => new LowBitMultiplication().Run([values], [0, 1], [0], problem.Rounded, default, MatrixView.None));
    }

    [Fact]
    public void Run_InTheSteadyState_AllocatesNothing()
    {
        using var problem = new LowBitProblem(300, 512, 4, 128, 0.5, 3, seed: 1);
        var product = new LowBitMultiplication { Threads = 1 };
        float[] output = new float[3 * 300];
        PackedWeight[] experts = [problem.Packed];
        int[] offsets = [0, 3], order = [0, 1, 2];

        fixed (float* y = output)
        {
            var view = new MatrixView((nint)y, 300, ElementType.Float32);
            product.Run(experts, offsets, order, problem.Rounded, view, MatrixView.None);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++)
            {
                product.Run(experts, offsets, order, problem.Rounded, view, MatrixView.None);
            }

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    private static float[] Experts(LowBitProblem problem, LowBitPath path, int threads)
    {
        float[] output = new float[problem.Count * problem.Rows];
        fixed (float* y = output)
        {
            new LowBitMultiplication { Path = path, Threads = threads }.Run(
                [problem.Packed], [0, problem.Count], problem.Order, problem.Rounded,
                new MatrixView((nint)y, problem.Rows, ElementType.Float32), MatrixView.None);
        }

        return output;
    }

    private static float[] DenseCodes(LowBitProblem problem, LowBitPath path, int threads)
    {
        float[] output = new float[problem.Count * problem.Rows];
        fixed (float* y = output)
        {
            new LowBitMultiplication { Path = path, Threads = threads }.Run(
                problem.Dense, problem.Order, problem.Rounded,
                new MatrixView((nint)y, problem.Rows, ElementType.Float32), MatrixView.None);
        }

        return output;
    }

    private static float[] Strips(LowBitProblem problem, StripWeight strips, LowBitPath path, int[] order)
    {
        float[] output = new float[problem.Count * problem.Rows];
        fixed (float* y = output)
        {
            new LowBitMultiplication { Path = path, Threads = 2 }.Run(
                [strips], [0, order.Length], order, problem.Rounded, new MatrixView((nint)y, problem.Rows, ElementType.Float32),
                MatrixView.None);
        }

        return output;
    }

    /// <summary>Gives the third of four tokens to the first expert, and the others to the second one.</summary>
    private static void AssertEachItsOwn<TWeight>(
        ReadOnlySpan<TWeight> experts, LowBitProblem tokens, float[] first, float[] second)
        where TWeight : class
    {
        float[] output = new float[4 * 130];
        fixed (float* y = output)
        {
            new LowBitMultiplication().Run(
                experts, [0, 1, 4], [2, 3, 0, 1], tokens.Rounded, new MatrixView((nint)y, 130, ElementType.Float32),
                MatrixView.None);
        }

        (double[] a, double[] size) = tokens.Reference(first);
        (double[] b, _) = tokens.Reference(second);
        double[] expected = [.. Enumerable.Range(0, output.Length).Select(i => i / 130 == 2 ? a[i] : b[i])];
        AssertClose(expected, [.. size.Select(value => value + 10)], output, LowBitPaths.Best);
    }

    private static void AssertClose(double[] expected, double[] magnitudes, float[] actual, LowBitPath path)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            // What counting from the zero point adds and takes away again is rounded in float32 too.
            double tolerance = 2e-5 * (magnitudes[i] + 1);
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance,
                $"{path}: output {i} is {actual[i]}, not {expected[i]} ± {tolerance}");
        }
    }
}
