using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Internal;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization;

public sealed class ExpandedModelTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("expanded model ü ").FullName;
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    private string Folder => Path.Combine(_root, "model");

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Load_WhatWasSaved_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Folder);
        using var fresh = new GatedModel(seed: 99);

        ExpandedModel.Load(fresh, Folder);

        Assert.True(TensorChecks.Equal(_model.call(_batches[0]), fresh.call(_batches[0])));
        Assert.Equal(_model.state_dict().Keys, fresh.state_dict().Keys);
        Assert.Equal(result.Report.ToJson(), ExpansionReport.FromJson(File.ReadAllText(Path.Combine(Folder, ExpansionResult.ReportFileName))).ToJson());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, true)]
    [InlineData(ScalarType.Float64, false)]
    public void Load_IntoAModelOfAnotherDtype_ConvertsTheExperts(ScalarType dtype, bool packed)
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Folder);
        using var fresh = new GatedModel();
        fresh.to(dtype);

        ExpandedModel.Load(fresh, Folder);

        Assert.Equal(dtype, fresh.call(_batches[0].to(dtype)).dtype);
        Assert.All(fresh.modules().OfType<SparseMixtureLayer>(), layer => Assert.Equal(packed, layer.IsPacked));
    }

    [Fact]
    public void Load_LayersOfOneGroup_ShareTheirRouterAgain()
    {
        using ExpansionResult result = Expand();
        result.Save(Folder);
        using var fresh = new GatedModel();

        ExpandedModel.Load(fresh, Folder);

        SparseMixtureLayer[] layers = [.. fresh.modules().OfType<SparseMixtureLayer>()];
        Assert.Equal(4, layers.Select(layer => layer.InputGroup).Distinct().Count());
    }

    [Fact]
    public void Load_OneLayerOfAGroupDisposed_TheOtherStillRoutes()
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Folder);
        using var fresh = new GatedModel();
        ExpandedModel.Load(fresh, Folder);
        IReadOnlyList<SparseMixtureLayer> group = fresh.modules().OfType<SparseMixtureLayer>()
            .First(layer => layer.InputGroup.Members.Count == 2).InputGroup.Members;
        Tensor input = randn(5, group[1].InFeatures);
        Tensor expected = group[1].call(input);

        group[0].Dispose();

        Assert.True(TensorChecks.Equal(expected, group[1].call(input)));
    }

    [Fact]
    public void Save_Twice_GivesTheSameBytes()
    {
        using ExpansionResult result = Expand();
        string other = Path.Combine(_root, "other");

        ExpandedModel.Save(_model, Folder);
        ExpandedModel.Save(_model, other);

        foreach (string file in Directory.GetFiles(Folder))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(other, Path.GetFileName(file))));
        }
    }

    [Fact]
    public void Save_LinearFieldServedByHooks_ComesBack()
    {
        using var scope = NewDisposeScope();
        using var model = new HookedModel();
        using ExpansionResult result = model.Expand().RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
            .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run(cancellationToken: TestContext.Current.CancellationToken);
        result.Save(Folder);
        using var fresh = new HookedModel();

        ExpandedModel.Load(fresh, Folder);

        Assert.True(TensorChecks.Equal(model.call(_batches[0]), fresh.call(_batches[0])));
    }

    [Fact]
    public void Save_ExistingFolder_IsRefusedUnlessAllowed()
    {
        using ExpansionResult result = Expand();
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "mine.txt"), "keep");

        Assert.Throws<CheckpointException>(() => result.Save(Folder));
        Assert.Equal("keep", File.ReadAllText(Path.Combine(Folder, "mine.txt")));
        result.Save(Folder, overwrite: true);
        Assert.True(ExpandedModel.IsExpanded(Folder));
    }

    [Fact]
    public void Save_WhenAddingFilesFails_LeavesNothing()
    {
        using ExpansionResult result = Expand();

        Assert.Throws<InvalidOperationException>(() => result.Save(Folder, addFiles: _ => throw new InvalidOperationException()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void Save_DenseModel_IsRefused() => Assert.Throws<SparseExpansionException>(() => ExpandedModel.Save(_model, Folder));

    [Fact]
    public void Save_RouterThatCannotBeSaved_NamesLayerAndInterface()
    {
        using var model = new HookedModel();
        using ExpansionResult result = model.Expand().RouteWith(new ParityTrainer())
            .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run(cancellationToken: TestContext.Current.CancellationToken);

        var error = Assert.Throws<SparseExpansionException>(() => result.Save(Folder));
        Assert.Contains(nameof(ICheckpointRouter), error.Message, StringComparison.Ordinal);
        Assert.Contains("'linear'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_LayerCalledOtherwiseThanItsPlace_NamesBoth()
    {
        using var scope = NewDisposeScope();
        using var layer = new SparseMixtureLayer("mine", new LinearRouter(randn(2, GatedModel.Width), zeros(2)), [randn(3, GatedModel.Width), randn(3, GatedModel.Width)]);
        using var model = nn.Sequential(("first", nn.Identity()), ("second", layer));

        var error = Assert.Throws<SparseExpansionException>(() => ExpandedModel.Save(model, Folder));

        Assert.Contains("'mine'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'second'", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root));
    }

    [Fact]
    public void Load_DamagedExperts_LeavesNoTensors()
    {
        using ExpansionResult result = Expand();
        result.Save(Folder);
        Damage(Path.Combine(Folder, "experts.safetensors"), Mixtures(_model)[0].Name);
        using var fresh = new GatedModel();

        LeakCheck.NoTensorsLeft(() => Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Folder)));
    }

    [Theory]
    [InlineData("expansion.json")]
    [InlineData("model.safetensors")]
    [InlineData("experts.safetensors")]
    public void Load_MissingOrTruncatedFile_NamesItAndLeavesTheModelAlone(string file)
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = Expand();
        result.Save(Folder);
        string path = Path.Combine(Folder, file);
        using var fresh = new GatedModel();
        Tensor before = fresh.call(_batches[0]);

        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        Assert.Contains(file, Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Folder)).Message, StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains(file, Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Folder)).Message, StringComparison.Ordinal);
        Assert.True(TensorChecks.Equal(before, fresh.call(_batches[0])));
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "version 2")]
    [InlineData("blocks.0.gate", "blocks.9.gate", "'blocks.9.gate'")]
    [InlineData("\"kind\": \"linear\"", "\"kind\": \"unheard-of\"", "unheard-of")]
    [InlineData("\"storage\": \"packed-bitmask\"", "\"storage\": \"origami\"", "origami")]
    [InlineData("\"router\": 0", "\"router\": 77", "router 77")]
    [InlineData("\"bias\": true", "\"bias\": false", "bias")]
    [InlineData("\"format\"", "\"surprise\"", "surprise")]
    public void Load_IndexThatDoesNotFit_SaysWhere(string old, string changed, string named)
    {
        using ExpansionResult result = Expand();
        result.Save(Folder);
        string path = Path.Combine(Folder, "expansion.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace(old, changed, StringComparison.Ordinal));
        using var fresh = new GatedModel();

        Assert.Contains(named, Assert.Throws<CheckpointException>(() => ExpandedModel.Load(fresh, Folder)).Message, StringComparison.Ordinal);
        Assert.Empty(fresh.modules().OfType<SparseMixtureLayer>());
    }

    [Fact]
    public void Load_IntoAnotherArchitecture_NamesTheTensor()
    {
        using ExpansionResult result = Expand();
        result.Save(Folder);
        using var larger = new GatedModel(blockCount: 3);

        Assert.Contains("blocks.2", Assert.Throws<CheckpointException>(() => ExpandedModel.Load(larger, Folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_IntoAModel_LeavesNoTensorsBesidesIt()
    {
        using ExpansionResult result = Expand();
        result.Save(Folder);
        int parameters = 0;

        LeakCheck.NoTensorsLeft(
            () =>
            {
                using var fresh = new GatedModel();
                int dense = fresh.parameters().Count();
                ExpandedModel.Load(fresh, Folder);
                parameters = dense + fresh.parameters().Count() - 2; // The head is the same before and after.
            },
            parametersDisposed: () => parameters);
    }

    private static SparseMixtureLayer[] Mixtures(nn.Module model) => [.. model.modules().OfType<SparseMixtureLayer>()];

    /// <summary>Contradicts the masks of a layer's first expert.</summary>
    private static void Damage(string file, string layer)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors;
        using (SafetensorsReader reader = SafetensorsReader.Open(file))
        {
            tensors = reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name));
        }

        tensors[$"{layer}.experts.0.masks"].fill_(Scalars.Of(255));
        SafetensorsWriter.Write(file, tensors);
    }

    private ExpansionResult Expand() => _model.Expand().Blocks(m => m.blocks).Targets("blocks.*")
        .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = 2 })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches).Run();

    private sealed class HookedModel : nn.Module<Tensor, Tensor>
    {
        private readonly Linear linear = nn.Linear(GatedModel.Width, 5);

        public HookedModel()
            : base(nameof(HookedModel)) => RegisterComponents();

        public override Tensor forward(Tensor input) => linear.call(input);
    }

    private sealed class ParityTrainer : IRouterTrainer
    {
        public string Name => "parity";

        public IRouter Fit(ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default) =>
            new ParityRouter(2, tokens.Features);
    }
}
