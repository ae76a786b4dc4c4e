using SparseExpansion.Execution;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// Packed layers run wherever dense ones do, and gradients flow through them: to what comes before, and to the bias.
/// </summary>
public sealed class PackedGradientTests : IDisposable
{
    private const int Width = 48;

    private readonly SparseMixtureLayer _layer = Create();
    private readonly Tensor _tokens = randn(30, Width);

    public void Dispose()
    {
        _layer.Dispose();
        _tokens.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float32, true, false)]
    [InlineData(ScalarType.Float32, false, true)]
    [InlineData(ScalarType.Float32, true, true)]
    [InlineData(ScalarType.BFloat16, true, true)]
    public void Backward_ThroughPackedExperts_IsThatThroughDenseOnes(ScalarType dtype, bool tokens, bool bias)
    {
        using var scope = NewDisposeScope();
        _layer.to(dtype);
        _layer.Bias!.requires_grad_(bias);
        Tensor weights = randn(30, Width).to(dtype);

        Tensor[] expected = Gradients(_layer, weights, dtype, tokens, bias), packed = Gradients(Packed(bias), weights, dtype, tokens, bias);

        Assert.Equal((tokens ? 1 : 0) + (bias ? 1 : 0), packed.Length);
        double tolerance = dtype == ScalarType.Float32 ? 1e-5 : 3e-2;
        Assert.All(expected.Zip(packed), pair => Assert.True(pair.First.allclose(pair.Second, tolerance, tolerance)));
    }

    [Fact]
    public void Backward_Twice_IsThatThroughDenseExperts()
    {
        using var scope = NewDisposeScope();

        Tensor expected = Second(_layer), packed = Second(Packed());

        Assert.InRange((expected - packed).abs().max().item<float>() / expected.abs().max().item<float>(), 0, 1e-5);

        Tensor Second(SparseMixtureLayer layer)
        {
            Tensor input = _tokens.clone().requires_grad_(true);
            Tensor cubes = layer.call(input).pow(Scalars.Of(3)).sum();
            Tensor first = autograd.grad([cubes], [input], retain_graph: true, create_graph: true)[0];
            return autograd.grad([first.Squared().sum()], [input])[0];
        }
    }

    [Theory]
    [InlineData("no_grad")]
    [InlineData("inference_mode")]
    [InlineData("eval")]
    [InlineData("train")]
    public void Call_WithoutAskingForGradients_IsPlainInference(string mode)
    {
        using var scope = NewDisposeScope();
        Tensor expected = _layer.call(_tokens);
        Packed();
        _layer.train(mode == "train");
        using IDisposable? guard = mode switch
        {
            "no_grad" => no_grad(),
            "inference_mode" => inference_mode(true),
            _ => null,
        };

        Tensor input = _tokens.clone();
        if (guard is not null)
        {
            _layer.Bias!.requires_grad_(true);
        }

        Tensor output = _layer.call(input);

        Assert.False(output.requires_grad);
        Assert.True(expected.allclose(output, 1e-4, 1e-5));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Call_BehindATrainableLayer_WorksInEvalAndTrainsItAsADenseModelDoes(bool training)
    {
        using var scope = NewDisposeScope();
        using Linear first = nn.Linear(Width, Width);
        Packed();
        _layer.train(training);
        first.train(training);

        Tensor output = _layer.call(first.call(_tokens));
        output.Squared().mean().backward();
        Tensor packed = first.weight!.grad!.clone();
        first.weight.grad!.zero_();
        _layer.Unpack();
        _layer.call(first.call(_tokens)).Squared().mean().backward();

        Assert.True(output.requires_grad);
        Assert.True(first.weight.grad!.allclose(packed, 1e-4, 1e-6));
    }

    [Fact]
    public void Backward_LayersThatShareARouter_SumUp()
    {
        using var scope = NewDisposeScope();
        var router = new SharedRouter(new ParityRouter(2, Width));
        using SparseMixtureLayer gate = Create(router), up = Create(router);
        Tensor Gradient()
        {
            Tensor input = _tokens.clone().requires_grad_(true);
            return autograd.grad([(gate.call(input) * up.call(input)).sum()], [input])[0];
        }

        Tensor expected = Gradient();
        gate.Pack();
        up.Pack();

        Assert.True(expected.allclose(Gradient(), 1e-4, 1e-4));
    }

    [Fact]
    public void Backward_AfterTheLayerIsGone_IsAnErrorAndNoCrash()
    {
        using Tensor input = _tokens.clone().requires_grad_(true);
        using SparseMixtureLayer layer = Create().Pack();
        using Tensor output = layer.call(input), loss = output.sum();

        layer.Unpack();

        Assert.ThrowsAny<Exception>(() => loss.backward());
        Assert.Null(input.grad);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Backward_WayToTokensFails_IsAnErrorOnlyWhereItIsAsked(bool ofBias)
    {
        using var scope = NewDisposeScope();
        Tensor tokens = ones(1, 1).requires_grad_(!ofBias), bias = ones(1).requires_grad_(ofBias);
        Tensor product = DifferentiableProduct.Compute(tokens, bias, () => ones(1, 1), _ => throw new InvalidOperationException("gone"));
        if (ofBias)
        {
            product.sum().backward();
            Assert.Equal(1, bias.grad!.item<float>());
            return;
        }

        Assert.ThrowsAny<Exception>(() => product.sum().backward());
        Assert.Null(tokens.grad);
    }

    [Fact]
    public void Backward_WhileTheCollectorRuns_StaysRight()
    {
        using var scope = NewDisposeScope();
        Packed();
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        Tensor expected = Gradient();
        collector.Start();
        try
        {
            for (int i = 0; i < 200; i++)
            {
                using Tensor gradient = Gradient();
                Assert.True(TensorChecks.Equal(expected, gradient));
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }

        Tensor Gradient()
        {
            using var inner = NewDisposeScope();
            Tensor input = _tokens.clone().requires_grad_(true);
            return autograd.grad([_layer.call(input).sum()], [input])[0].MoveToOuterDisposeScope();
        }
    }

    [Fact]
    public void Backward_ManyTimes_KeepsNoTensors()
    {
        Packed();
        long Run(int times)
        {
            for (int i = 0; i < times; i++)
            {
                using var scope = NewDisposeScope();
                Tensor input = _tokens.clone().requires_grad_(true);
                autograd.grad([_layer.call(input).sum()], [input]);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            return Tensor.TotalCount;
        }

        Assert.InRange(Run(100) - Run(1), -20, 20); // Other tests may make some meanwhile; each call makes dozens.
    }

    [Fact]
    public void Multiply_PackedWeightAlone_HasTheGradientOfTheDenseProduct()
    {
        using var scope = NewDisposeScope();
        Tensor dense = randn(20, Width) * rand(20, Width).gt(Scalars.Of(0.5)), bias = randn(20).requires_grad_(true);
        using PackedWeight weight = PackedWeight.Pack(dense);
        Tensor input = randn(2, 3, Width).requires_grad_(true), weights = randn(2, 3, 20);

        IList<Tensor> expected = autograd.grad([(nn.functional.linear(input, dense, bias) * weights).sum()], [input, bias]);
        IList<Tensor> packed = autograd.grad([(weight.Multiply(input, bias) * weights).sum()], [input, bias]);

        Assert.True(expected[0].allclose(packed[0], 1e-4, 1e-4));
        Assert.True(expected[1].allclose(packed[1], 1e-4, 1e-4));
    }

    private SparseMixtureLayer Packed(bool bias = false)
    {
        _layer.Pack();
        _layer.Bias!.requires_grad_(bias);
        return _layer;
    }

    private Tensor[] Gradients(SparseMixtureLayer layer, Tensor weights, ScalarType dtype, bool tokens, bool bias)
    {
        Tensor input = _tokens.to(dtype, copy: true).requires_grad_(tokens);
        Tensor[] asked = [.. new[] { tokens ? input : null, bias ? layer.Bias : null }.OfType<Tensor>()];
        return [.. autograd.grad([(layer.call(input) * weights).sum()], asked)];
    }

    private static SparseMixtureLayer Create() => Create(new SharedRouter(new ParityRouter(2, Width)));

    private static SparseMixtureLayer Create(SharedRouter router)
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = [.. Enumerable.Range(0, 2).Select(_ => randn(Width, Width) * rand(Width, Width).gt(Scalars.Of(0.5)))];
        return new SparseMixtureLayer("packed", router, weights, randn(Width));
    }
}
