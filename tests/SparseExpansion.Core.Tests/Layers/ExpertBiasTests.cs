using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Mixtures whose experts have biases of their own, against one linear after the other.</summary>
public sealed class ExpertBiasTests : IDisposable
{
    private const int In = 24;
    private const int Out = 10;
    private const int Experts = 3;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor[] _weights;
    private readonly Tensor _bias;
    private readonly Tensor _tokens;

    public ExpertBiasTests()
    {
        using var generator = new Generator(3);
        _weights = [.. Enumerable.Range(0, Experts).Select(_ => randn(Out, In, generator: generator) * rand(Out, In, generator: generator).gt(Scalars.Of(0.5)))];
        _bias = randn(Experts, Out, generator: generator);
        _tokens = randn(2, 17, In, generator: generator);
    }

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(false, ScalarType.Float32, 1e-5)]
    [InlineData(true, ScalarType.Float32, 1e-5)]
    [InlineData(false, ScalarType.BFloat16, 0.05)]
    [InlineData(true, ScalarType.BFloat16, 0.05)]
    public void Forward_BiasOfEachExpert_IsAddedToItsTokens(bool packed, ScalarType type, double tolerance)
    {
        using SparseMixtureLayer layer = Layer(type);
        if (packed)
        {
            layer.Pack();
        }

        Tensor actual = layer.call(_tokens.to(type));

        Assert.Equal(type, actual.dtype);
        Assert.True(actual.to(ScalarType.Float32).allclose(Expected(layer), tolerance, tolerance));
    }

    [Fact]
    public void Unfreeze_BiasOfEachExpert_HasAGradientOfItsTokensAlone()
    {
        using SparseMixtureLayer layer = Layer(ScalarType.Float32);
        IReadOnlyList<Parameter> trained = layer.Unfreeze();
        layer.call(_tokens).sum().backward();

        Tensor counts = layer.Route(_tokens).flatten().bincount(null, Experts);
        Assert.Equal([Experts, Out], trained[1].shape);
        Assert.True(trained[1].grad!.allclose(counts.to(ScalarType.Float32).unsqueeze(1).expand(Experts, Out)));
    }

    [Fact]
    public void Forward_Repeated_LeavesNoTensor()
    {
        using SparseMixtureLayer layer = Layer(ScalarType.Float32);
        LeakCheck.NoTensorsLeft(() => layer.call(_tokens).Dispose());
    }

    [Fact]
    public void Create_BiasOfAnotherShape_IsRefused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => new SparseMixtureLayer("mlp.up", new RandomRouter(In, Experts, 1), _weights, zeros(Experts + 1, Out)));
        Assert.Contains("[10], or [3, 10] for a bias of each expert", error.Message, StringComparison.Ordinal);
    }

    private SparseMixtureLayer Layer(ScalarType type) =>
        new("mlp.up", new RandomRouter(In, Experts, 1), [.. _weights.Select(weight => weight.to(type))], _bias.to(type));

    private Tensor Expected(SparseMixtureLayer layer)
    {
        Tensor flat = _tokens.reshape(-1, In), experts = layer.Route(_tokens.to(layer.Experts.DType)).flatten();
        Tensor[] rows = [.. Enumerable.Range(0, (int)flat.shape[0]).Select(t =>
        {
            int expert = (int)experts[t].item<long>();
            return _weights[expert].matmul(flat[t]).Plus(_bias[expert]);
        })];
        return stack(rows).reshape(2, 17, Out);
    }
}
