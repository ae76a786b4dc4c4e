using CsCheck;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>Random problems, and the slow double-precision answer to them.</summary>
internal sealed record ExecutionCase(int Rows, int Columns, int Tokens, double Sparsity, ScalarType DType, bool HasBias, int Experts, int Seed)
{
    /// <summary>
    /// Shapes around every boundary: lanes, mask words, blocks, panels; sparsities including none and all.
    /// </summary>
    public static Gen<ExecutionCase> Generator { get; } =
        from rows in Gen.OneOf(Gen.Int[1, 5], Gen.Int[120, 140], Gen.Int[250, 300])
        from columns in Gen.OneOf(Gen.Int[1, 70], Gen.Int[240, 270], Gen.Int[500, 530])
        from tokens in Gen.OneOf(Gen.Int[0, 20], Gen.Int[30, 70], Gen.Int[126, 131])
        from sparsity in Gen.OneOf(Gen.Const(0.0), Gen.Const(1.0), Gen.Const(0.5), Gen.Const(0.9), Gen.Double[0, 1])
        from dtype in Gen.Bool.Select(b => b ? ScalarType.Float32 : ScalarType.BFloat16)
        from bias in Gen.Bool
        from experts in Gen.Int[1, 5]
        from seed in Gen.Int[0, 1_000_000]
        select new ExecutionCase(rows, columns, tokens, sparsity, dtype, bias, experts, seed);

    /// <summary>A random weight with the case's sparsity, some rows empty.</summary>
    public Tensor Weight(int expert = 0)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(Seed + expert));
        Tensor kept = rand([Rows, Columns], generator: generator) >= Scalars.Of(Sparsity);
        Tensor filled = rand([Rows, 1], generator: generator) >= Scalars.Of(Sparsity == 0 ? 0.0 : 0.1);
        return (randn([Rows, Columns], generator: generator) * kept * filled).to(DType).MoveToOuterDisposeScope();
    }

    /// <summary>[Tokens, Columns] of the given dtype, a view into wider rows.</summary>
    public Tensor StridedTokens(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)Seed + 77);
        return randn([Tokens, Columns + 5], generator: generator).to(dtype).narrow(1, 3, Columns).MoveToOuterDisposeScope();
    }

    /// <summary>[Rows] of the weight's dtype, or null.</summary>
    public Tensor? Bias()
    {
        using var generator = new Generator((ulong)Seed + 99);
        return HasBias ? randn([Rows], generator: generator).to(DType) : null;
    }

    /// <summary>
    /// tokens · weightᵀ + bias in double precision, and the sum of magnitudes that bounds its rounding errors.
    /// </summary>
    public static (double[] Value, double[] Magnitude) Reference(Tensor tokens, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        Tensor x = tokens.to(ScalarType.Float64), w = weight.to(ScalarType.Float64).t();
        Tensor b = bias?.to(ScalarType.Float64) ?? zeros(weight.shape[0], dtype: ScalarType.Float64);
        return (Values(x.matmul(w).Plus(b)), Values(x.abs().matmul(w.abs()).Plus(b.abs())));
    }

    /// <summary>
    /// Fails unless every output is as near to the reference as rounding of
    /// float32 sums and of the output dtype allows.
    /// </summary>
    public static void AssertNear((double[] Value, double[] Magnitude) expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        double outputError = actual.dtype == ScalarType.BFloat16 ? Math.Pow(2, -8) : Math.Pow(2, -23);
        double[] values = Values(actual.to(ScalarType.Float64));
        Assert.Equal(expected.Value.Length, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            double allowed = 64 * Math.Pow(2, -24) * expected.Magnitude[i] + outputError * Math.Abs(expected.Value[i]) + 1e-30;
            Assert.True(
                Math.Abs(values[i] - expected.Value[i]) <= allowed,
                $"output {i}: {values[i]}, expected {expected.Value[i]} within {allowed}");
        }
    }

    private static double[] Values(Tensor tensor) => tensor.numel() == 0 ? [] : tensor.contiguous().data<double>().ToArray();
}
