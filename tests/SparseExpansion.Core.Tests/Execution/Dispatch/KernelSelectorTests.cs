using SparseExpansion.Execution.Kernels;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution.Dispatch;

public sealed class KernelSelectorTests
{
    [Fact]
    public void Choose_FromManyThreads_AgreesAndIsRemembered()
    {
        using Tensor weight = randn(600, 512) * (rand(600, 512) >= Scalars.Of(0.8));
        using PackedWeight packed = PackedWeight.Pack(weight);
        var choices = new KernelKind[8];
        Thread[] callers = [.. Enumerable.Range(0, 8).Select(i => new Thread(() => choices[i] = KernelSelector.Choose(packed, 5, false, TorchProduct.Options())))];
        Array.ForEach(callers, c => c.Start());
        Array.ForEach(callers, c => c.Join());
        Assert.Single(choices.Distinct());
        Assert.Equal(choices[0], KernelSelector.Choose(packed, 7, false, TorchProduct.Options()));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.95)]
    public void Choose_SmallWeight_DependsOnTheTokensOnly(double sparsity)
    {
        using var scope = NewDisposeScope();
        using PackedWeight packed = PackedWeight.Pack(randn(384, 128) * (rand(384, 128) >= Scalars.Of(sparsity)));

        Assert.Equal(KernelKind.Expand, KernelSelector.Choose(packed, 1, false, TorchProduct.Options()));
        Assert.Equal(KernelKind.Index, KernelSelector.Choose(packed, 512, true, TorchProduct.Options()));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 4, 4)]
    [InlineData(5, 8, 8)]
    [InlineData(512, 4096, 512)]
    public void KernelClass_TokenCounts_ShareClasses(int tokens, int others, int representative)
    {
        using Tensor weight = randn(30, 40);
        using PackedWeight packed = PackedWeight.Pack(weight);
        var options = new ExecutionOptions(Threads: 2, Dense: DenseProduct.Shared);
        KernelClass problem = KernelClass.Of(packed, tokens, false, options);
        Assert.Equal(problem, KernelClass.Of(packed, others, false, options));
        Assert.Equal(representative, problem.Representative);
        Assert.NotEqual(problem, KernelClass.Of(packed, tokens, true, options));
        Assert.NotEqual(problem, KernelClass.Of(packed, tokens, false, options with { Dense = null }));
        Assert.NotEqual(problem, KernelClass.Of(packed, tokens, false, options with { Threads = 3 }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void Multiply_ChosenKernel_EqualsDoublePrecision(int tokens)
    {
        using var scope = NewDisposeScope();
        var problem = new ExecutionCase(600, 500, tokens, 0.7, ScalarType.BFloat16, true, 1, 3);
        Tensor weight = problem.Weight();
        Tensor input = problem.StridedTokens(ScalarType.BFloat16);
        using PackedWeight packed = PackedWeight.Pack(weight);
        ExecutionCase.AssertNear(ExecutionCase.Reference(input, weight, problem.Bias()), packed.Multiply(input, problem.Bias()));
    }
}
