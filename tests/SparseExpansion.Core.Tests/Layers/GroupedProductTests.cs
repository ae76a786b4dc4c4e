using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>The grouped path is made for GPUs, but libtorch runs it on the CPU too.</summary>
public sealed class GroupedProductTests
{
    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 5e-2)]
    public void MultiplyGrouped_AnyDistribution_EqualsOneExpertAtATime(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var experts = new MaskedDenseExperts([.. Enumerable.Range(0, 5).Select(_ => randn(24, 16).to(dtype))]);
        Tensor bias = randn(24).to(dtype), tokens = randn(40, 16).to(dtype);
        var decision = new RoutingDecision(randint(1, 4, 40, dtype: ScalarType.Int64), 5); // Experts 0 and 4 get nothing.

        Tensor expected = experts.Multiply(tokens, decision, bias);
        Tensor grouped = experts.MultiplyGrouped(tokens, decision, bias);
        decision.Release();

        Assert.True(expected.allclose(grouped, rtol: tolerance, atol: tolerance));
    }

    [Fact]
    public void Forward_OnCuda_EqualsTheCpu()
    {
        Assert.SkipUnless(cuda.is_available(), "Needs a CUDA device.");
        using var scope = NewDisposeScope();
        using var layer = new SparseMixtureLayer("layer", new ParityRouter(3, 16), [randn(8, 16), randn(8, 16), randn(8, 16)], randn(8));
        Tensor tokens = randn(33, 16);
        Tensor expected = layer.call(tokens);

        layer.to(CUDA);

        Assert.True(expected.allclose(layer.call(tokens.cuda()).cpu(), rtol: 1e-3, atol: 1e-4));
    }
}
