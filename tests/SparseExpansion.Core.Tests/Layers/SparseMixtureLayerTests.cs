using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class SparseMixtureLayerTests
{
    private const int In = 6;
    private const int Out = 5;
    private const int Experts = 3;

    public static TheoryData<long[]> Shapes => [new long[] { 7, In }, new long[] { 2, 3, In }, new long[] { In }, new long[] { 0, In }, new long[] { 2, 0, In }, new long[] { 1, 1, 1, In }];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_AnyShape_EqualsOneTokenAtATime(long[] shape)
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = RandomWeights();
        Tensor bias = randn(Out);
        using var layer = new SparseMixtureLayer("layer", new ParityRouter(Experts, In), weights, bias);
        Tensor input = randn(shape) * Scalars.Of(4);

        Tensor output = layer.call(input);

        Assert.Equal([.. shape[..^1], Out], output.shape);
        Tensor tokens = input.reshape(-1, In), outputs = output.reshape(-1, Out);
        for (long t = 0; t < tokens.shape[0]; t++)
        {
            int expert = ParityRouter.ExpertOf(tokens[t, 0].item<float>(), Experts);
            Tensor expected = weights[expert].matmul(tokens[t]).Plus(bias);
            Assert.True(expected.allclose(outputs[t], rtol: 1e-4, atol: 1e-5));
        }
    }

    [Fact]
    public void Route_AnyShape_NamesTheExpertOfEveryToken()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = Create();
        Tensor input = randn(2, 3, In) * Scalars.Of(4);

        Tensor experts = layer.Route(input);

        Assert.Equal([2, 3], experts.shape);
        Assert.Equal(ParityRouter.ExpertOf(input[1, 2, 0].item<float>(), Experts), experts[1, 2].item<long>());
        LeakCheck.NoTensorsLeft(() => layer.Route(input).Dispose());
    }

    [Fact]
    public void StateDict_HasPyTorchStyleNames()
    {
        using SparseMixtureLayer layer = Create();

        Assert.Equal(["bias", "experts.weight"], layer.state_dict().Keys.Order());
    }

    [Fact]
    public void To_BFloat16_MovesExpertsAndOutputs()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = Create();
        layer.to(ScalarType.BFloat16);

        Tensor output = layer.call(randn(4, In).to(ScalarType.BFloat16));

        Assert.Equal(ScalarType.BFloat16, output.dtype);
    }

    [Fact]
    public void Forward_WrongWidth_NamesLayerAndWidth()
    {
        using SparseMixtureLayer layer = Create();
        using Tensor input = zeros(2, In + 1);

        var error = Assert.Throws<ArgumentException>(() => layer.call(input));
        Assert.Contains("'layer'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"[.., {In}]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_OtherDevice_NamesBothDevices()
    {
        using SparseMixtureLayer layer = Create();
        using Tensor input = zeros(2, In, device: META);

        var error = Assert.Throws<ArgumentException>(() => layer.call(input));
        Assert.Contains("meta", error.Message, StringComparison.Ordinal);
        Assert.Contains("cpu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_WeightsThatDoNotFit_AreRefused()
    {
        using var scope = NewDisposeScope();
        var router = new ParityRouter(2, In);

        Assert.Throws<ArgumentException>(() => new SparseMixtureLayer("layer", router, [zeros(Out, In)]));
        Assert.Throws<ArgumentException>(() => new SparseMixtureLayer("layer", router, [zeros(Out, In), zeros(Out, In + 1)]));
        Assert.Throws<ArgumentException>(() => new SparseMixtureLayer("layer", router, [zeros(Out, In + 1), zeros(Out, In + 1)]));
        Assert.Throws<ArgumentException>(() => new SparseMixtureLayer("layer", router, [zeros(Out, In), zeros(Out, In)], zeros(Out + 1)));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    public void Forward_RouterThatNamesNoSuchExpert_IsAnErrorWithItsNumber(long expert)
    {
        using var scope = NewDisposeScope();
        using var layer = new SparseMixtureLayer("layer", new WrongRouter(ScalarType.Int64, expert), [zeros(Out, In)]);

        var error = Assert.Throws<SparseExpansionException>(() => layer.call(ones(1, In)));
        Assert.Contains($"expert {expert},", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_TwoLayersOfOneGroup_RouteOnce()
    {
        using var scope = NewDisposeScope();
        var router = new ParityRouter(Experts, In);
        var shared = new SharedRouter(router);
        using var gate = new SparseMixtureLayer("gate", shared, RandomWeights());
        using var up = new SparseMixtureLayer("up", shared, RandomWeights());
        Tensor input = randn(4, In);

        for (int pass = 1; pass <= 3; pass++)
        {
            gate.call(input);
            up.call(input);
            Assert.Equal(pass, router.Calls);
        }
    }

    [Fact]
    public void Forward_BufferRefilledBetweenPasses_IsRoutedAnew()
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = RandomWeights();
        var shared = new SharedRouter(new ParityRouter(Experts, In));
        using var gate = new SparseMixtureLayer("gate", shared, weights);
        using var up = new SparseMixtureLayer("up", shared, weights);
        Tensor buffer = full([1, In], Scalars.Of(0.5));
        gate.call(buffer);
        buffer.fill_(Scalars.Of(1.5));

        Tensor refilled = gate.call(buffer);
        Tensor sharedOutput = up.call(buffer);

        Tensor expected = buffer.matmul(weights[1].t());
        Assert.True(expected.allclose(refilled));
        Assert.True(expected.allclose(sharedOutput));
    }

    [Fact]
    public void Forward_ManyThreads_GivesTheSameOutputs()
    {
        using SparseMixtureLayer layer = Create();
        using Tensor input = randn(64, In);
        using Tensor expected = layer.call(input);

        Parallel.For(0, 200, _ =>
        {
            using var scope = NewDisposeScope();
            Assert.True(expected.allclose(layer.call(input)));
        });
    }

    [Fact]
    public void MeasureSparsity_CountsZeros()
    {
        using var scope = NewDisposeScope();
        Tensor half = ones(2, 4);
        half[.., ..2] = 0;
        using var layer = new SparseMixtureLayer("layer", new ParityRouter(2, 4), [half, ones(2, 4)]);

        Assert.Equal(0.25, layer.MeasureSparsity());
        Assert.True(half.allclose(layer.GetExpertWeight(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => layer.GetExpertWeight(2));
    }

    [Fact]
    public void Forward_InputOfAnotherDtype_NamesBoth()
    {
        using var scope = NewDisposeScope();
        using SparseMixtureLayer layer = Create();

        Assert.Contains("Float64", Assert.Throws<ArgumentException>(() => layer.call(randn(3, In, ScalarType.Float64))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_RouterThatBreaksItsContract_IsNamed()
    {
        using var scope = NewDisposeScope();
        using var layer = new SparseMixtureLayer("layer", new WrongRouter(ScalarType.Int32), [ones(Out, In)]);

        var error = Assert.Throws<SparseExpansionException>(() => layer.Pack().call(ones(1, In)));
        Assert.Contains(nameof(WrongRouter), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layer_BuiltUsedAndDisposed_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        Tensor[] weights = RandomWeights();
        var shared = new SharedRouter(new ParityRouter(Experts, In));
        using (var gate = new SparseMixtureLayer("gate", shared, weights))
        using (var up = new SparseMixtureLayer("up", shared, weights))
        {
            using Tensor input = randn(5, In);
            for (int pass = 0; pass < 100; pass++)
            {
                using Tensor left = gate.call(input);
                using Tensor right = up.call(input);
            }
        }

        Array.ForEach(weights, weight => weight.Dispose());
    }, parametersDisposed: 2);

    private static SparseMixtureLayer Create()
    {
        using var scope = NewDisposeScope();
        return new SparseMixtureLayer("layer", new ParityRouter(Experts, In), RandomWeights(), randn(Out));
    }

    private static Tensor[] RandomWeights() => [.. Enumerable.Range(0, Experts).Select(_ => randn(Out, In))];

    private sealed class WrongRouter(ScalarType dtype, long expert = 3) : Routing.IRouter
    {
        public int ExpertCount => 1;

        public int InputFeatures => In;

        public Tensor Route(Tensor tokens) => full([tokens.shape[0]], Scalars.Of(expert), dtype);

        public void Dispose()
        {
        }
    }
}
