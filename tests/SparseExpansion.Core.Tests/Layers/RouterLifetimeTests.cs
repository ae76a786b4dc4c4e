using SparseExpansion.Internal.Torch;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class RouterLifetimeTests
{
    private const int Width = 6;
    private const int Experts = 3;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dispose_OneLayerOfAGroup_LeavesTheOthersAsTheyWere(bool insideAnotherModule)
    {
        using var scope = NewDisposeScope();
        SharedRouter shared = Group();
        SparseMixtureLayer gate = Layer("gate", shared);
        using SparseMixtureLayer up = Layer("up", shared);
        Tensor input = randn(8, Width);
        Tensor experts = up.Route(input);
        Tensor output = up.call(input);
        gate.call(input);

        if (insideAnotherModule)
        {
            new Outer(new Outer(gate)).Dispose();
        }
        else
        {
            gate.Dispose();
        }

        Assert.Equal([up], shared.Members);
        Assert.True(TensorChecks.Equal(experts, up.Route(input)));
        Assert.True(TensorChecks.Equal(output, up.call(input)));
        Assert.Contains("router.weight", up.state_dict().Keys);
    }

    [Fact]
    public void Dispose_LastLayerOfAGroup_FreesTheRouter()
    {
        using var scope = NewDisposeScope();
        SharedRouter shared = Group();
        SparseMixtureLayer gate = Layer("gate", shared), up = Layer("up", shared);
        Tensor[] tensors = TensorsOf(shared);

        up.Dispose();
        Assert.All(tensors, tensor => Assert.False(tensor.IsInvalid));
        gate.Dispose();

        Assert.All(tensors, tensor => Assert.True(tensor.IsInvalid));
        Assert.Empty(shared.Members);
    }

    [Fact]
    public void Dispose_Group_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        SharedRouter shared = Group();
        using SparseMixtureLayer up = Layer("up", shared);
        using (SparseMixtureLayer gate = Layer("gate", shared))
        {
            up.call(ones(2, Width));
            gate.call(randn(2, Width));
        }

        up.call(randn(2, Width));
    }, parametersDisposed: 2);

    [Fact]
    public void Dispose_TwoLayersOneOfThemTwice_KeepsTheRouterOfTheOther()
    {
        using var scope = NewDisposeScope();
        SharedRouter shared = Group();
        SparseMixtureLayer gate = Layer("gate", shared);
        using SparseMixtureLayer up = Layer("up", shared);

        gate.Dispose();
        gate.Dispose();

        Assert.All(TensorsOf(shared), tensor => Assert.False(tensor.IsInvalid));
        Assert.Equal([2, Width], up.call(randn(2, Width)).shape);
    }

    [Fact]
    public void Dispose_LayersOnManyThreads_FreesTheRouterOnce()
    {
        using var scope = NewDisposeScope();
        var router = new CountingRouter();
        var shared = new SharedRouter(router);
        SparseMixtureLayer[] layers = [.. Enumerable.Range(0, 16).Select(i => Layer($"layer{i}", shared))];

        Parallel.ForEach(layers, layer => layer.Dispose());

        Assert.Equal(1, router.Disposals);
    }

    [Fact]
    public void Dispose_LayerWithARouterOfItsOwn_FreesIt()
    {
        using var scope = NewDisposeScope();
        var router = new CountingRouter();
        var layer = new SparseMixtureLayer("layer", router, Weights());

        layer.Dispose();
        layer.Dispose();

        Assert.Equal(1, router.Disposals);
    }

    [Fact]
    public void Dispose_SharedRouterInUse_WaitsForTheLastLayer()
    {
        using var scope = NewDisposeScope();
        var router = new CountingRouter();
        var shared = new SharedRouter(router);
        SparseMixtureLayer layer = Layer("layer", shared);

        shared.Dispose();
        Assert.Equal(0, router.Disposals);
        layer.Dispose();
        shared.Dispose();

        Assert.Equal(1, router.Disposals);
    }

    [Fact]
    public void Dispose_SharedRouterWithoutLayers_FreesItOnce()
    {
        var router = new CountingRouter();
        var shared = new SharedRouter(router);

        shared.Dispose();
        shared.Dispose();

        Assert.Equal(1, router.Disposals);
    }

    [Fact]
    public void Constructor_RouterFreedWithItsLastLayer_NamesTheLayer()
    {
        using var scope = NewDisposeScope();
        SharedRouter shared = Group();
        Layer("gate", shared).Dispose();

        var error = Assert.Throws<ObjectDisposedException>(() => Layer("up", shared));
        Assert.Contains("'up'", error.Message, StringComparison.Ordinal);
    }

    private static SharedRouter Group() => new(new LinearRouter(randn(Experts, Width), zeros(Experts)));

    private static Tensor[] TensorsOf(SharedRouter shared) => [.. ((LinearRouter)shared.Router).GetState().Tensors.Values];

    private static SparseMixtureLayer Layer(string name, SharedRouter shared) => new(name, shared, Weights());

    private static Tensor[] Weights() => [.. Enumerable.Range(0, Experts).Select(_ => randn(Width, Width))];

    private sealed class Outer : nn.Module
    {
        private readonly nn.Module inner;

        public Outer(nn.Module inner) : base(nameof(Outer))
        {
            this.inner = inner;
            RegisterComponents();
        }
    }

    private sealed class CountingRouter : Routing.IRouter
    {
        private int _disposals;

        public int Disposals => _disposals;

        public int ExpertCount => Experts;

        public int InputFeatures => Width;

        public Tensor Route(Tensor tokens) => zeros(tokens.shape[0], ScalarType.Int64);

        public void Dispose() => Interlocked.Increment(ref _disposals);
    }
}
