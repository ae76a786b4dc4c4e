using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Linears that are a whole model, or a whole block.</summary>
public sealed class BareLinearTests : IDisposable
{
    private const int Width = GatedModel.Width;

    private readonly Tensor[] _batches = GatedModel.Batches();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        Array.ForEach(_batches, batch => batch.Dispose());
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_ALinearAsTheModel_ExpandsSavesLoadsAndReverts(bool bias)
    {
        using var scope = NewDisposeScope();
        using Linear model = nn.Linear(Width, 8, hasBias: bias);
        Tensor dense = model.call(_batches[0]);

        using ExpansionResult result = Expand(model).Run();
        Tensor expanded = model.call(_batches[0]);
        result.Save(_folder.File("saved"));
        using Linear loaded = nn.Linear(Width, 8, hasBias: bias);
        ExpandedModel.Load(loaded, _folder.File("saved"));

        Assert.Equal(["linear"], result.Layers.Keys);
        Assert.Equal(["linear"], model.Mixtures().Keys);
        Assert.Equal(["linear"], loaded.Mixtures().Keys);
        Assert.False(TensorChecks.Equal(dense, expanded));
        Assert.True(TensorChecks.Equal(result.Layers["linear"].call(_batches[0]), expanded));
        Assert.True(TensorChecks.Equal(expanded, loaded.call(_batches[0])));
        Assert.Contains("expanded already", Assert.Throws<SparseExpansionException>(() => Expand(model).Run()).Message, StringComparison.Ordinal);
        result.Revert();
        Assert.True(TensorChecks.Equal(dense, model.call(_batches[0])));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_BlocksThatAreLinears_AreCalibratedOnExpandedOnesBeforeThem(bool fineTune)
    {
        using var scope = NewDisposeScope();
        using var bare = new ChainModel(wrapped: false);
        using var wrapped = new ChainModel(wrapped: true);
        foreach ((Parameter from, Parameter to) in bare.parameters().Zip(wrapped.parameters()))
        {
            using var noGrad = no_grad();
            to.copy_(from);
        }

        Tensor[] expected = Experts(wrapped), experts = Experts(bare);

        Assert.Equal(6, expected.Length);
        Assert.All(expected.Zip(experts), pair => Assert.True(TensorChecks.Equal(pair.First, pair.Second)));

        Tensor[] Experts(ChainModel model)
        {
            ExpansionBuilder<ChainModel> builder = Expand(model).Blocks(m => m.Layers);
            using ExpansionResult result = (fineTune
                ? builder.FineTune(new FineTuningOptions { Steps = 4, CheckInterval = 2, HoldOut = 0.25, OutputLoss = FineTuningLoss.RelativeSquaredError })
                : builder).Run();
            return [.. result.Layers.Values.SelectMany(layer => Enumerable.Range(0, 2).Select(layer.GetExpertWeight))];
        }
    }

    private ExpansionBuilder<TModel> Expand<TModel>(TModel model)
        where TModel : nn.Module => model.Expand()
            .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn(_batches);

    private sealed class ChainModel : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<nn.Module<Tensor, Tensor>> layers;

        public ChainModel(bool wrapped)
            : base(nameof(ChainModel))
        {
            layers = nn.ModuleList<nn.Module<Tensor, Tensor>>([.. Enumerable.Range(0, 3).Select(_ => Layer(wrapped))]);
            RegisterComponents();
        }

        public IEnumerable<nn.Module<Tensor, Tensor>> Layers => layers;

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return layers.Aggregate(input, (hidden, layer) => layer.call(hidden)).MoveToOuterDisposeScope();
        }

        private static nn.Module<Tensor, Tensor> Layer(bool wrapped)
        {
            Linear linear = nn.Linear(Width, Width);
            return wrapped ? nn.Sequential(linear) : linear;
        }
    }
}
