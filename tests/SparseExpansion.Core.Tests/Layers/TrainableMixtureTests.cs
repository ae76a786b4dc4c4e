using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class TrainableMixtureTests : IDisposable
{
    private const int In = 16;
    private const int Out = 8;
    private const int Experts = 4;

    private readonly SparseMixtureLayer _layer = Create();
    private readonly Tensor _input = randn(40, In) * Scalars.Of(3);

    public void Dispose()
    {
        _layer.Dispose();
        _input.Dispose();
    }

    [Fact]
    public void Unfreeze_Gradient_IsThatOfEveryExpertAloneAndZeroWherePruned()
    {
        using var scope = NewDisposeScope();
        Tensor[] copies = [.. Enumerable.Range(0, Experts).Select(e => _layer.GetExpertWeight(e).requires_grad_(true))];
        Tensor experts = _layer.Route(_input);
        Tensor[] rows = [.. Enumerable.Range(0, 40).Select(t => copies[experts[t].item<long>()].matmul(_input[t]))];
        IList<Tensor> expected = autograd.grad([stack(rows).Squared().sum()], copies, allow_unused: false);

        IReadOnlyList<Parameter> trained = _layer.Unfreeze();
        Tensor gradient = autograd.grad([(_layer.call(_input) - trained[1]).Squared().sum()], [trained[0]])[0];

        for (int e = 0; e < Experts; e++)
        {
            Tensor kept = copies[e].ne(Scalars.Of(0)).to(ScalarType.Float32);
            Assert.True((expected[e] * kept).allclose(gradient[e], 1e-4, 1e-3));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Freeze_AfterAnyOptimizer_PrunedWeightsAreExactlyZero(bool noisy)
    {
        using var scope = NewDisposeScope();
        Tensor before = stack(Enumerable.Range(0, Experts).Select(_layer.GetExpertWeight));
        IReadOnlyList<Parameter> trained = _layer.Pack().Unfreeze();
        using (var optimizer = new AdamOptimizer(trained, new AdamOptions { LearningRate = 0.1, WeightDecay = 0.1 }))
        {
            for (int step = 0; step < 5; step++)
            {
                optimizer.ZeroGradients();
                _layer.call(_input).Squared().mean().backward();
                optimizer.Step();
            }
        }

        if (noisy)
        {
            using var noGrad = no_grad();
            Tensor output = _layer.call(_input);
            trained[0].PlusInPlace(before.eq(Scalars.Of(0)).to(ScalarType.Float32));
            Assert.True(_layer.call(_input).equal(output).all().item<bool>(), "What is masked has no effect.");
        }

        Assert.True(_layer.IsTrainable);
        Assert.Equal(0.5, _layer.MeasureSparsity(), 3);
        _layer.Freeze();

        Tensor after = stack(Enumerable.Range(0, Experts).Select(_layer.GetExpertWeight));
        Assert.Equal(0, (before.eq(Scalars.Of(0)) & after.ne(Scalars.Of(0))).sum().item<long>());
        Assert.True((before - after).abs().sum().item<float>() > 1);
        Assert.All(trained, parameter => Assert.False(parameter.requires_grad));
        Assert.False(_layer.IsTrainable);
    }

    [Fact]
    public void Pack_WhileTrainable_FreezesAndKeepsOutputs()
    {
        using var scope = NewDisposeScope();
        _layer.Unfreeze();
        Tensor output = _layer.call(_input);
        Assert.True(output.requires_grad);
        Assert.True(_layer.Pack().call(_input).allclose(output, 1e-4, 1e-4));
        Assert.False(_layer.IsTrainable);
        Assert.Equal(["bias", "experts"], _layer.state_dict().Keys.Select(key => key.Split('.')[0]).Distinct().Where(key => key != "router").Order());
    }

    [Fact]
    public void Unfreeze_ForwardBackwardFreeze_LeavesNoTensors()
    {
        _layer.Unfreeze();
        LeakCheck.NoTensorsLeft(() =>
        {
            using var scope = NewDisposeScope();
            IReadOnlyList<Parameter> trained = _layer.Unfreeze();
            autograd.grad([_layer.call(_input).Squared().sum()], [.. trained]);
            _layer.Freeze();
        });
    }

    private static SparseMixtureLayer Create()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        Tensor[] weights = [.. Enumerable.Range(0, Experts).Select(_ =>
        {
            Tensor weight = randn(Out, In);
            return weight * (weight.abs() > weight.abs().median()).to(ScalarType.Float32);
        })];
        return new SparseMixtureLayer("layer", new ParityRouter(Experts, In), weights, randn(Out));
    }
}
