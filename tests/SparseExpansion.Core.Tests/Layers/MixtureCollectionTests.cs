using SparseExpansion.Expansion;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

public sealed class MixtureCollectionTests : IDisposable
{
    private static readonly string[] s_names =
        ["blocks.0.gate", "blocks.0.up", "blocks.0.down", "blocks.1.gate", "blocks.1.up", "blocks.1.down"];

    private readonly TemporaryFolder _folder = new();
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Mixtures_OfAnExpandedAndOfALoadedModel_AreListedInModuleOrder()
    {
        Assert.Empty(_model.Mixtures());
        using ExpansionResult result = Expand();
        result.Save(_folder.File("model"));
        using var loaded = new GatedModel(seed: 2);
        ExpandedModel.Load(loaded, _folder.File("model"));

        Assert.Equal(s_names, result.Layers.Keys);
        Assert.Equal(s_names, _model.Mixtures().Keys);
        Assert.Equal(s_names, loaded.Mixtures().Keys);
        Assert.Equal(s_names, loaded.Mixtures().Values.Select(layer => layer.Name));
        Assert.Same(result.Layers["blocks.1.up"], _model.Mixtures()["blocks.1.up"]);
        Assert.Equal(["gate", "up", "down"], loaded.blocks[1].Mixtures().Keys);
        Assert.Equal(["blocks.1.up"], loaded.Mixtures()["blocks.1.up"].Mixtures().Keys);
        Assert.Contains("'blocks.2.up' among the 6, from 'blocks.0.gate' to 'blocks.1.down'", Assert.Throws<KeyNotFoundException>(() => loaded.Mixtures()["blocks.2.up"]).Message, StringComparison.Ordinal);
        Assert.False(loaded.Mixtures().TryGetValue("blocks.2.up", out _));
        Assert.True(loaded.Mixtures().ContainsKey("blocks.0.up"));
    }

    [Fact]
    public void Mixtures_BehindLinearFieldsAndShared_AreListedOnceByThePathOfTheLinear()
    {
        using var model = new Places();
        using (Tensor calibration = randn(64, 4))
        using (model.Expand().RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null }).PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn([calibration]).Run())
        {
        }

        Assert.Equal(["fixed_linear", "items.0"], model.Mixtures().Keys);
        using var shared = new Shared(model.Mixtures()["items.0"]);
        Assert.Equal(["first"], shared.Mixtures().Keys);
    }

    [Fact]
    public void PackAndUnpack_OfAllLayers_KeepTheValues()
    {
        using ExpansionResult result = Expand();
        Assert.All(result.Layers.Values, layer => Assert.True(layer.IsPacked));
        string before = Experts(result.Layers);

        Assert.Same(result, result.Unpack());
        Assert.All(result.Layers.Values, layer => Assert.False(layer.IsPacked));
        Assert.Equal(before, Experts(result.Layers));
        Assert.Same(result, result.Pack().Pack());
        Assert.All(result.Layers.Values, layer => Assert.True(layer.IsPacked));
        Assert.Equal(before, Experts(result.Layers));
        result.Revert();
        foreach (Action action in (Action[])[() => result.Pack(), () => result.Unpack(), () => result.Unfreeze(), () => result.Freeze()])
        {
            Assert.Contains("reverted", Assert.Throws<InvalidOperationException>(action).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pack_OneLayerCannot_NoneHasChanged()
    {
        using ExpansionResult result = Expand();
        result.Unfreeze();
        result.Layers["blocks.1.up"].to(float64);

        LeakCheck.NoTensorsLeft(() => Assert.Contains("'blocks.1.up'", Assert.Throws<InvalidOperationException>(() => result.Pack()).Message, StringComparison.Ordinal));
        Assert.All(result.Layers.Values, layer => Assert.True(layer is { IsPacked: false, IsTrainable: true }));
    }

    [Fact]
    public void Unfreeze_OneLayerIsQuantized_NoneHasChanged()
    {
        using ExpansionResult result = Expand();
        result.Layers["blocks.0.gate"].Unpack();
        using var linears = new Linears();
        SparseMixtureLayer quantized = Quantize(linears);
        using var model = new Shared(quantized, result.Layers["blocks.0.up"]);
        string before = Experts(model.Mixtures());

        Assert.Contains("'q'", Assert.Throws<InvalidOperationException>(() => model.Mixtures().Unfreeze()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => quantized.Unfreeze());

        Assert.All(model.Mixtures().Values, layer => Assert.True(layer is { IsPacked: true, IsTrainable: false }));
        Assert.Equal(before, Experts(model.Mixtures()));
    }

    [Fact]
    public void Unfreeze_AllLayers_OneOptimizerTrainsThemAndPrunedWeightsStayZero()
    {
        using ExpansionResult result = Expand();
        string before = Experts(result.Layers);
        using var scope = NewDisposeScope();
        Tensor target = randn(2, 32, 3);
        IReadOnlyList<Parameter> parameters = result.Unfreeze();
        Assert.Equal(6 + 4, parameters.Count); // Six layers, four of them with a bias.
        double first = Loss().item<float>();
        using (var optimizer = new AdamOptimizer(parameters, new AdamOptions { LearningRate = 1e-2 }))
        {
            for (int step = 0; step < 20; step++)
            {
                optimizer.ZeroGradients();
                Loss().backward();
                optimizer.Step();
            }
        }

        Assert.True(Loss().item<float>() < 0.9 * first);
        Assert.Same(result, result.Freeze());
        Assert.All(parameters, parameter => Assert.False(parameter.requires_grad));
        result.Pack();
        Assert.NotEqual(before, Experts(result.Layers));
        Assert.All(result.Layers.Values, layer => Assert.Equal(0.5, layer.MeasureSparsity(), 2));

        Tensor Loss() => (_model.call(_batches[0]) - target).Squared().mean();
    }

    [Fact]
    public void AllOfThem_LeaveNoTensors()
    {
        using ExpansionResult result = Expand();
        LeakCheck.NoTensorsLeft(
            () =>
            {
                result.Unfreeze();
                result.Freeze().Pack();
            },
            parametersDisposed: 6); // The unpacked experts of six layers.
    }

    private static string Experts(MixtureCollection layers)
    {
        using var scope = NewDisposeScope();
        return TensorHash.OfState([.. layers.Values.SelectMany(layer => Enumerable.Range(0, layer.ExpertCount).Select(e => KeyValuePair.Create($"{layer.Name}.{e}", layer.GetExpertWeight(e).abs())))]);
    }

    private static SparseMixtureLayer Quantize(Linears model)
    {
        using Tensor calibration = randn(256, 16);
        using ExpansionResult result = model.Expand().RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
            .PruneWith(new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization { GroupSize = null } }), SparsityTarget.Unstructured(0.5))
            .CalibrateOn([calibration]).Run();
        SparseMixtureLayer layer = result.Layers["q"];
        Assert.NotNull(layer.Quantization);
        return layer;
    }

    private ExpansionResult Expand() => _model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = 2 }).PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();

    private sealed class Places : nn.Module<Tensor, Tensor>
    {
        private readonly Linear fixed_linear = nn.Linear(4, 4);
        private readonly Sequential items = nn.Sequential(nn.Linear(4, 4), nn.Tanh());

        public Places()
            : base(nameof(Places)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using Tensor hidden = fixed_linear.call(input);
            return items.call(hidden);
        }
    }

    private sealed class Linears : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> q = nn.Linear(16, 8);

        public Linears()
            : base(nameof(Linears)) => RegisterComponents();

        public override Tensor forward(Tensor input) => q.call(input);
    }

    private sealed class Shared : nn.Module
    {
        private readonly nn.Module<Tensor, Tensor> first;
        private readonly nn.Module<Tensor, Tensor> second;

        public Shared(SparseMixtureLayer first, SparseMixtureLayer? second = null)
            : base(nameof(Shared))
        {
            (this.first, this.second) = (first, second ?? first);
            RegisterComponents();
        }
    }
}
