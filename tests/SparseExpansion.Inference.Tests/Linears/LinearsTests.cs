using SparseExpansion.Execution;
using SparseExpansion.Execution.Packing;
using SparseExpansion.Inference.Routing;

namespace SparseExpansion.Inference.Linears;

/// <summary>Linears against plain sums in float64.</summary>
public sealed unsafe class LinearsTests
{
    private const int Rows = 37, Columns = 70, Tokens = 9;

    private readonly float[] _tokens = Random(Tokens * Columns, 1);
    private readonly float[] _bias = Random(Rows, 2);

    [Theory]
    [InlineData(2, 64)]
    [InlineData(3, null)]
    [InlineData(4, 128)]
    [InlineData(8, 64)]
    public void Multiply_WeightInCodes_IsTheProductOfItsValues(int bits, int? group)
    {
        QuantizedWeight weight = QuantizedWeight.Quantize(Random(Rows * Columns, 3), Rows, Columns, bits, group);
        float[] dense = new float[Rows * Columns];
        weight.Dequantize(0, dense);
        using var linear = new QuantizedLinear(weight, Array(_bias));
        float[] row = new float[Columns];
        linear.ReadRow(5, row);

        AssertProduct(linear, _ => dense, _ => _bias);
        Assert.Equal(dense[(5 * Columns)..(6 * Columns)], row);
    }

    /// <summary>A feature is off by half a step at most, so a product by half a step of every weight.</summary>
    [Theory]
    [InlineData(2, 64)]
    [InlineData(3, null)]
    [InlineData(4, 128)]
    [InlineData(8, 64)]
    public void Multiply_WeightInCodesWithTokensInEightBits_IsWithinHalfAStepOfEveryFeature(int bits, int? group)
    {
        QuantizedWeight weight = QuantizedWeight.Quantize(Random(Rows * Columns, 3), Rows, Columns, bits, group);
        float[] dense = new float[Rows * Columns], exact = new float[Tokens * Rows], rounded = new float[Tokens * Rows];
        weight.Dequantize(0, dense);
        using var linear = new QuantizedLinear(weight, Array(_bias));

        Multiply(linear, ActivationPrecision.Float32, exact);
        Multiply(linear, ActivationPrecision.Int8, rounded);

        for (int i = 0; i < exact.Length; i++)
        {
            double weights = dense[(i % Rows * Columns)..((i % Rows + 1) * Columns)].Sum(value => Math.Abs(value));
            double step = _tokens[(i / Rows * Columns)..((i / Rows + 1) * Columns)].Max(value => Math.Abs(value)) / 127;
            Assert.InRange(rounded[i] - exact[i], -0.51 * step * weights, 0.51 * step * weights);
        }

        Assert.NotEqual(exact, rounded);
    }

    [Fact]
    public void Multiply_MixtureInCodes_GivesEachTokenItsExpertInBothPrecisions()
    {
        using var router = new RandomTokenRouter(Random(Columns, 7), 3);
        long[] chosen = Choose(router);
        PackedWeight[] experts = [.. Enumerable.Range(0, 3).Select(expert => PackCodes(expert))];
        using var linear = new MixtureLinear(router, new PackedExperts(experts), Array(_bias));
        float[] exact = new float[Tokens * Rows], rounded = new float[Tokens * Rows];

        Multiply(linear, ActivationPrecision.Float32, exact);
        Multiply(linear, ActivationPrecision.Int8, rounded);

        Assert.Equal(3, chosen.Distinct().Count());
        double size = Math.Sqrt(exact.Sum(value => (double)value * value));
        double error = Math.Sqrt(exact.Zip(rounded, (a, b) => (double)(a - b) * (a - b)).Sum());
        Assert.InRange(error / size, 1e-6, 0.02);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Rearrange_OfAMixture_ChangesItsFormAlone(int bits)
    {
        using var router = new RandomTokenRouter(Random(Columns, 7), 3);
        using var linear = new MixtureLinear(
            router, new PackedExperts([.. Enumerable.Range(0, 3).Select(expert => PackCodes(expert, bits))]), Array(_bias));
        float[] before = new float[Tokens * Rows], after = new float[Tokens * Rows];
        Multiply(linear, ActivationPrecision.Int8, before);
        Assert.True(linear.RearrangedBytes > 0);

        linear.Rearrange();

        Multiply(linear, ActivationPrecision.Int8, after);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
        Assert.Equal(0, linear.RearrangedBytes);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(8, false)]
    public void Rearrange_OfADenseWeight_ChangesItsFormAlone(int bits, bool isPossible)
    {
        QuantizedWeight weight = QuantizedWeight.Quantize(Sparse(4), Rows, Columns, bits, 64);
        using var linear = new QuantizedLinear(weight, Array(_bias));
        float[] before = new float[Tokens * Rows], after = new float[Tokens * Rows], row = new float[Columns], same = new float[Columns];
        Multiply(linear, ActivationPrecision.Int8, before);
        linear.ReadRow(Rows - 1, row);
        Assert.Equal(isPossible, linear.RearrangedBytes > 0);
        if (isPossible)
        {
            linear.Rearrange();
        }

        Multiply(linear, ActivationPrecision.Int8, after);
        linear.ReadRow(Rows - 1, same);
        Assert.All(before.Zip(after), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
        Assert.Equal(row, same);
        Assert.Equal(0, isPossible ? linear.RearrangedBytes : 0);
        linear.Dispose();
    }

    [Fact]
    public void RearrangedBytes_OfValues_AreNone()
    {
        using var router = new RandomTokenRouter(Random(Columns, 7), 1);
        using var linear = new MixtureLinear(router, new PackedExperts([Pack(Sparse(4))]), null);

        Assert.Equal(0, linear.RearrangedBytes);
    }

    [Fact]
    public void Multiply_Mixture_TakesTheWeightAndTheSharedBiasOfEachTokensExpert()
    {
        float[][] experts = [Sparse(4), Sparse(5), Sparse(6)];
        using var router = new RandomTokenRouter(Random(Columns, 7), experts.Length);
        long[] chosen = Choose(router);
        using var linear = new MixtureLinear(router, new PackedExperts([.. experts.Select(Pack)]), Array(_bias));

        AssertProduct(linear, token => experts[chosen[token]], _ => _bias);
        Assert.Equal(3, chosen.Distinct().Count());
    }

    [Fact]
    public void Multiply_MixtureWithABiasForEachExpert_AddsThatOfEachTokensExpert()
    {
        float[][] experts = [Sparse(4), Sparse(5), Sparse(6)], biases = [Random(Rows, 8), Random(Rows, 9), Random(Rows, 10)];
        using var router = new RandomTokenRouter(Random(Columns, 7), experts.Length);
        long[] chosen = Choose(router);
        using var linear = new MixtureLinear(
            router, new PackedExperts([.. experts.Select(Pack)]), Array([.. biases.SelectMany(bias => bias)]));

        AssertProduct(linear, token => experts[chosen[token]], token => biases[chosen[token]]);
    }

    [Fact]
    public void RouteOf_TwoLinearsOfOneInput_RoutesOnce()
    {
        using var router = new CountingRouter(Columns);
        using var block = new TokenBlock(1, ActivationPrecision.Float32);
        fixed (float* tokens = _tokens)
        {
            block.Set(tokens, Columns, Tokens);
            TokenRoute first = block.RouteOf(router);
            Assert.Same(first, block.RouteOf(router));
            Assert.Equal(1, router.Calls);
            block.Set(tokens, Columns, Tokens);
            block.RouteOf(router);
            Assert.Equal(2, router.Calls);
        }
    }

    private void AssertProduct(Linear linear, Func<int, float[]> weightOf, Func<int, float[]> biasOf)
    {
        const int Stride = Rows + 3;
        foreach (int threads in new[] { 1, 3 })
        {
            using var block = new TokenBlock(threads, ActivationPrecision.Float32);
            float[] output = new float[Tokens * Stride];
            fixed (float* tokens = _tokens, target = output)
            {
                block.Set(tokens, Columns, Tokens);
                linear.Multiply(block, target, Stride);
            }

            for (int token = 0; token < Tokens; token++)
            {
                for (int row = 0; row < Rows; row++)
                {
                    double sum = biasOf(token)[row];
                    for (int column = 0; column < Columns; column++)
                    {
                        sum += (double)weightOf(token)[(row * Columns) + column] * _tokens[(token * Columns) + column];
                    }

                    Assert.Equal(sum, output[(token * Stride) + row], 1e-4);
                }

                Assert.Equal([0, 0, 0], output[((token * Stride) + Rows)..((token + 1) * Stride)]);
            }
        }
    }

    private long[] Choose(TokenRouter router)
    {
        long[] chosen = new long[Tokens];
        fixed (float* tokens = _tokens)
        {
            router.Choose(tokens, Columns, chosen, null, 1);
        }

        return chosen;
    }

    private void Multiply(Linear linear, ActivationPrecision activations, float[] output)
    {
        using var block = new TokenBlock(2, activations);
        fixed (float* tokens = _tokens, target = output)
        {
            block.Set(tokens, Columns, Tokens);
            linear.Multiply(block, target, Rows);
        }
    }

    private static PackedWeight PackCodes(int expert) => PackCodes(expert, 4);

    private static PackedWeight PackCodes(int expert, int bits)
    {
        QuantizedWeight values = QuantizedWeight.Quantize(Sparse(expert + 4), Rows, Columns, bits, 64);
        float[] dense = new float[Rows * Columns];
        values.Dequantize(0, dense);
        fixed (float* from = dense)
        {
            return PackedWeightBuilder.PackCodes(from, values.Grid, NativeArray.Allocate);
        }
    }

    private static PackedWeight Pack(float[] weight) => PackedWeight.Pack(weight, Rows, Columns);

    private static NativeArray Array(float[] values)
    {
        NativeArray array = NativeArray.Allocate(values.Length, ElementType.Float32);
        values.CopyTo(array.Span<float>(0, values.Length));
        return array;
    }

    private static float[] Sparse(int seed) =>
        [.. Random(Rows * Columns, seed).Select((value, index) => index * 7 % 5 < 2 ? 0 : value)];

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }
}
