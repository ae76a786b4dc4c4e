using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

public sealed class SoftmaxRegressionTests
{
    private const int Features = 6;

    [Fact]
    public void Fit_CheapestExpertIsLinear_FindsItFromUnscaledTokens()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        Tensor tokens = (randn(3_000, Features, generator: generator) * tensor([100f, 1f, 0.01f, 1f, 1f, 0f])).Plus(50);
        using var truth = new LinearRouter(randn(3, Features, generator: generator) * tensor([0.01f, 1f, 100f, 1f, 1f, 0f]), zeros(3));
        Tensor shifted = tokens - tokens.mean([0L]);
        Tensor costs = nn.functional.one_hot(truth.Route(shifted), 3).to(ScalarType.Float32).neg().Plus(1);

        using LinearRouter router = SoftmaxRegression.Fit(tokens, costs, 60, 0, 1, default);

        double agree = router.Route(tokens).eq(truth.Route(shifted)).to(ScalarType.Float64).mean().item<double>();
        Assert.InRange(agree, 0.97, 1);
    }

    [Fact]
    public void Fit_OnlyRegretMatters_ExpensiveTokensDecide()
    {
        using var scope = NewDisposeScope();
        // All tokens look alike: no router can tell them apart, so the expert of the fewer but dearer ones is right.
        Tensor tokens = ones(300, Features);
        Tensor costs = cat([tensor([0f, 1f]).expand(200, 2), tensor([9f, 0f]).expand(100, 2)]);

        using LinearRouter router = SoftmaxRegression.Fit(tokens, costs.Plus(7), 60, 1e-4, 1, default);

        Assert.Equal(300, router.Route(tokens).sum().item<long>());
    }

    [Fact]
    public void Gradients_AgainstAutograd_AreTheSame()
    {
        using var scope = NewDisposeScope();
        Tensor weight = randn(4, Features, ScalarType.Float64, requires_grad: true), bias = randn(4, ScalarType.Float64, requires_grad: true);
        Tensor tokens = randn(50, Features, ScalarType.Float64), cheapest = randint(4, 50, ScalarType.Int64), weights = rand(50, ScalarType.Float64);
        Tensor entropies = nn.functional.cross_entropy(nn.functional.linear(tokens, weight, bias), cheapest, reduction: nn.Reduction.None);
        IList<Tensor> expected = autograd.grad([(entropies * weights).mean().Plus(Scalars.Of(0.3) * weight.Squared().sum())], [weight, bias]);

        (Tensor ofWeight, Tensor ofBias) = SoftmaxRegression.Gradients(weight.detach(), bias.detach(), tokens, cheapest, weights, 0.3);

        Assert.True(expected[0].allclose(ofWeight, 1e-6, 1e-9));
        Assert.True(expected[1].allclose(ofBias, 1e-6, 1e-9));
    }

    [Fact]
    public void Fit_WhereGradientsAreOff_GivesTheSame()
    {
        using var scope = NewDisposeScope();
        Tensor tokens = randn(200, Features), costs = rand(200, 4);
        using LinearRouter expected = SoftmaxRegression.Fit(tokens, costs, 3, 1e-4, 5, default);
        using var off = no_grad();
        using LinearRouter actual = SoftmaxRegression.Fit(tokens, costs, 3, 1e-4, 5, default);
        Assert.True(expected.GetState().Tensors["weight"].allclose(actual.GetState().Tensors["weight"], 0, 0));
    }

    [Fact]
    public void Fit_Repeated_IsTheSameAndLeavesNoTensor()
    {
        using Tensor tokens = randn(200, Features);
        using Tensor costs = rand(200, 4);
        using LinearRouter first = SoftmaxRegression.Fit(tokens, costs, 3, 1e-4, 5, default);
        using LinearRouter second = SoftmaxRegression.Fit(tokens, costs, 3, 1e-4, 5, default);
        Assert.True(first.GetState().Tensors["weight"].allclose(second.GetState().Tensors["weight"], 0, 0));
        LeakCheck.NoTensorsLeft(() => SoftmaxRegression.Fit(tokens, costs, 2, 1e-4, 5, default).Dispose());
    }

    [Fact]
    public void Fit_EqualCosts_StaysFinite()
    {
        using Tensor tokens = randn(50, Features);
        using Tensor costs = ones(50, 3);
        using LinearRouter router = SoftmaxRegression.Fit(tokens, costs, 2, 0, 5, default);
        using Tensor finite = router.GetState().Tensors["weight"].isfinite().all();
        Assert.True(finite.item<bool>());
    }

    [Fact]
    public void Fit_Cancelled_Stops()
    {
        using Tensor tokens = randn(50, Features);
        using Tensor costs = rand(50, 3);
        Assert.Throws<OperationCanceledException>(() => SoftmaxRegression.Fit(tokens, costs, 2, 0, 5, new CancellationToken(true)));
    }
}
