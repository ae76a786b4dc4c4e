using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.CustomParts;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>
/// The messages of the library, word for word, about wrong arguments, data and files: <c>bad-inputs.txt</c>.
/// </summary>
public sealed class BadInputTableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _folder.Dispose();
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Library_BadInput_SaysWhatTheTableSays()
    {
        using var scope = NewDisposeScope();
        (string, Action)[] cases = [.. Builder(), .. Pruners(), .. Routers(), .. LayersAndWeights(), .. Files()];
        MessageTable.Check("SparseExpansion.Core.Tests", [.. cases.Select(item => (item.Item1, Message(item.Item2)))]);
    }

    private IEnumerable<(string, Action)> Builder()
    {
        var nan = _batches[0].clone();
        nan[0, 0, 0] = float.NaN;
        yield return ("model.Expand().Run()", () => _model.Expand().Run());
        yield return ("Expand() without PruneWith", () => _model.Expand().RouteWith(new PcaKMeansOptions()).CalibrateOn(_batches).Run());
        yield return ("Expand() without CalibrateOn", () => _model.Expand().RouteWith(new PcaKMeansOptions()).PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).Run());
        yield return ("Blocks(no blocks)", () => Ready().Blocks(_ => []));
        yield return ("Blocks(an LSTM)", () => Ready().Blocks(_ => [nn.LSTM(4, 4)]));
        yield return ("CalibrateOn(() => no batches)", () => Ready().CalibrateOn(() => Array.Empty<Tensor>()).Run());
        yield return ("Mixtures() of a dense model, by name", () => _ = _model.Mixtures()["blocks.0.up"]);
        yield return ("Targets()", () => Ready().Targets());
        yield return ("Targets(\"*.mlp.*\"), none there", () => Ready().Targets("*.mlp.*").Run());
        yield return ("CalibrateOn(no batches)", () => Ready().CalibrateOn(Array.Empty<Tensor>()));
        yield return ("CalibrateOn(NaN)", () => Ready().CalibrateOn([nan]).Run());
        yield return ("RouteWith(Experts = 0)", () => Ready().RouteWith(new PcaKMeansOptions { Experts = 0 }));
        yield return ("RouteWith(Experts = 300), 256 tokens", () => Ready().RouteWith(new PcaKMeansOptions { Experts = 300, PcaReduction = null }).Run());
        yield return ("PruneWith(2:5), 16 columns", () => Ready().PruneWith(new WandaSparsifier(), SparsityTarget.NM(2, 5)).Run());
        yield return ("Allocate with 2:4", () => Ready().PruneWith(new WandaSparsifier(), SparsityTarget.NM(2, 4)).Allocate(SparsityAllocation.Owl()).Run());
        yield return ("Allocate(Experts()) with WithMemory", () => WithBudget(Ready().Allocate(SparsityAllocation.Experts())).Run());
        yield return ("Allocate(Experts()) with WithMemory, PlanMemory", () => WithBudget(Ready().Allocate(SparsityAllocation.Experts())).PlanMemory());
        yield return ("FineTune with WithMemory, PlanMemory", () => WithBudget(Ready().FineTune()).PlanMemory());
        yield return ("FineTune with WithQuantization", () => Ready().PruneWith(new WandaSparsifier().WithRefit().WithQuantization(), SparsityTarget.Unstructured(0.5)).FineTune().Run());
        yield return ("FineTune with SparseGptOptions.Quantization", () => Ready()
            .PruneWith(new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization() }), SparsityTarget.Unstructured(0.5)).FineTune().PlanMemory());
        yield return ("FineTune, a target outside the blocks", () => Ready().Blocks(model => model.blocks).Targets("*").FineTune().Run());
        yield return ("PruneWith(a pruner that returns NaN)", () => Scripted((weight, mask) => new PrunedWeight(weight.masked_fill(mask, Scalars.Of(double.NaN)))).Run());
        yield return ("PruneWith(a pruner that returns the transposed weight)", () => Scripted((weight, _) => new PrunedWeight(weight.t())).Run());
        yield return ("PruneWith(a pruner that prunes nothing)", () => Scripted((weight, _) => new PrunedWeight(weight)).Run());
        yield return ("PruneWith(a pruner that returns null)", () => Scripted((_, _) => null).Run());
        yield return ("PruneWith(a pruner that changes its statistic)", () => Ready().PruneWith(
            new ScriptedPruner((weight, _) => new PrunedWeight(weight) { MayKeepMore = true }, statistic => statistic.SquaredNorms.zero_()), SparsityTarget.Unstructured(0.5)).Run());
        yield return ("RouteWith(a trainer that returns null)", () => Ready().RouteWith(new NoTrainer()).Run());
        yield return ("FineTune(a loss that is null)", () => Ready().FineTune(new FineTuningOptions { Loss = FineTuningLoss.From("mine", (_, _) => null!) }).Run());
        yield return ("WithOptions(ChunkTokens = 0)", () => Ready().WithOptions(new ExpansionOptions { ChunkTokens = 0 }));
        yield return ("Save of a dense model", () => ExpandedModel.Save(_model, _folder.File("dense")));
    }

    private static IEnumerable<(string, Action)> Pruners()
    {
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        var descriptor = new LayerDescriptor("layer", 4, 3, CPU);
        Tensor weight = ones(3, 4);
        ColumnNormStatistic norms = new WandaSparsifier().CreateStatistic(descriptor);
        yield return ("SparsityTarget.Unstructured(1)", () => SparsityTarget.Unstructured(1));
        yield return ("SparsityTarget.NM(4, 2)", () => SparsityTarget.NM(4, 2));
        yield return ("SparsityTarget.Parse(\"half\")", () => SparsityTarget.Parse("half"));
        yield return ("SparseGpt with Wanda's statistic", () => new SparseGptSparsifier().Prune(weight, norms, half));
        yield return ("Wanda, weight of another width", () => new WandaSparsifier().Prune(ones(3, 5), norms, half));
        yield return ("Wanda, no tokens seen", () => new WandaSparsifier().Prune(weight, norms, half));
        yield return ("Wanda, integers", () => new WandaSparsifier().Prune(weight.to(int32), norms, half));
        yield return ("Wanda, NaN", () => new WandaSparsifier().Prune(weight * Scalars.Of(float.NaN), norms, half));
    }

    private static IEnumerable<(string, Action)> Routers()
    {
        var router = new LinearRouter(ones(2, 4), zeros(2));
        yield return ("LinearRouter.Route, tokens of another width", () => router.Route(ones(3, 5)));
        yield return ("LinearRouter.Route, integers", () => router.Route(ones(3, 4, dtype: int64)));
        yield return ("RouterKinds.Restore, unknown kind", () => RouterKinds.Default.Restore(new RouterState("hash", 4, 2, new Dictionary<string, Tensor>())));
        yield return ("RouterKinds.Restore, a function that fails", () => RouterKinds.Default.With("mine", _ => throw new InvalidDataException("no planes")).Restore(new RouterState("mine", 4, 2, new Dictionary<string, Tensor>())));
        yield return ("RouterKinds.With, a kind of the library's", () => RouterKinds.Default.With("linear", _ => new SingleExpertRouter(4)));
        yield return ("RouterKinds.Restore, missing tensor", () => RouterKinds.Default.Restore(new RouterState("linear", 4, 2, new Dictionary<string, Tensor>())));
        yield return ("RouterKinds.Restore, tensor of another shape", () => RouterKinds.Default.Restore(new RouterState("linear", 4, 2, new Dictionary<string, Tensor> { ["weight"] = ones(1) })));
    }

    private static IEnumerable<(string, Action)> LayersAndWeights()
    {
        var router = new SharedRouter(new LinearRouter(ones(2, 4), zeros(2)));
        var layer = new SparseMixtureLayer("fc", router, [ones(3, 4), ones(3, 4)], null);
        yield return ("SparseMixtureLayer, one weight for two experts", () => _ = new SparseMixtureLayer("fc", router, [ones(3, 4)], null));
        yield return ("SparseMixtureLayer, weights of two shapes", () => _ = new SparseMixtureLayer("fc", router, [ones(3, 4), ones(2, 4)], null));
        yield return ("SparseMixtureLayer, bias of another width", () => _ = new SparseMixtureLayer("fc", router, [ones(3, 4), ones(3, 4)], ones(2)));
        yield return ("SparseMixtureLayer.call, input of another width", () => layer.call(ones(1, 5)));
        yield return ("SparseMixtureLayer.call, input of another dtype", () => layer.call(ones(1, 4, dtype: float64)));
        yield return ("PackedWeight.Pack, a vector", () => PackedWeight.Pack(ones(3)));
        yield return ("PackedWeight.Pack, float64", () => PackedWeight.Pack(ones(3, 4, dtype: float64)));
        yield return ("PackedWeight.Multiply, tokens of another width", () => PackedWeight.Pack(ones(3, 4)).Multiply(ones(1, 5)));
    }

    private IEnumerable<(string, Action)> Files()
    {
        string good = _folder.File("good.safetensors");
        SafetensorsWriter.Write(good, new Dictionary<string, Tensor> { ["a"] = ones(2) });
        File.WriteAllBytes(_folder.File("short"), File.ReadAllBytes(good)[..^1]);
        File.WriteAllBytes(_folder.File("empty"), []);
        File.WriteAllText(_folder.File("text"), "this is no such file");
        Directory.CreateDirectory(_folder.File("folder"));
        File.WriteAllText(Path.Combine(_folder.File("folder"), "file"), "");
        yield return ("SafetensorsReader.Open, no file", () => SafetensorsReader.Open(_folder.File("nowhere")));
        yield return ("SafetensorsReader.Open, a folder", () => SafetensorsReader.Open(_folder.File("folder")));
        yield return ("SafetensorsReader.Open, empty", () => SafetensorsReader.Open(_folder.File("empty")));
        yield return ("SafetensorsReader.Open, cut off", () => SafetensorsReader.Open(_folder.File("short")));
        yield return ("SafetensorsReader.Open, text", () => SafetensorsReader.Open(_folder.File("text")));
        yield return ("SafetensorsReader.Read, no such tensor", () => { using SafetensorsReader reader = SafetensorsReader.Open(good); reader.Read("b"); });
        yield return ("SafetensorsWriter.Write, empty name", () => SafetensorsWriter.Write(good, [new("", ones(1))]));
        yield return ("SafetensorsWriter.Write, complex", () => SafetensorsWriter.Write(good, [new("a", ones(1, dtype: complex64))]));
        yield return ("SafetensorsWriter.Write, no such folder", () => SafetensorsWriter.Write(_folder.File("no/file"), [new("a", ones(1))]));
        yield return ("ExpandedModel.Load, empty folder", () => ExpandedModel.Load(_model, _folder.File("folder")));
        yield return ("ExpandedModel.Convert, no folder", () => ExpandedModel.Convert(_folder.File("nowhere"), _folder.File("out"), ExpertFormat.Dense));
        yield return ("Save into a folder that holds something", () =>
        {
            using ExpansionResult result = Ready().Run();
            result.Save(_folder.File("folder"));
        }
        );
    }

    private ExpansionBuilder<GatedModel> Scripted(Func<Tensor, Tensor, PrunedWeight?> finish) => Ready().PruneWith(new ScriptedPruner(finish), SparsityTarget.Unstructured(0.5));

    private static ExpansionBuilder<GatedModel> WithBudget(ExpansionBuilder<GatedModel> builder) => builder.WithMemory(new MemoryBudget { Bytes = 8L << 30 });

    private ExpansionBuilder<GatedModel> Ready() => _model.Expand().Targets("blocks.*").RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = 2 })
        .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(_batches);

    private sealed class NoTrainer : IRouterTrainer
    {
        public string Name => "none";

        public IRouter Fit(ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default) => null!;
    }

    private string Message(Action action)
    {
        Exception error = Assert.ThrowsAny<Exception>(action);
        Assert.True(error is SparseExpansionException or ArgumentException or InvalidOperationException or FormatException or KeyNotFoundException, error.ToString());
        return $"{error.GetType().Name}: {error.Message.Replace(_folder.Path, "{folder}", StringComparison.Ordinal)}";
    }
}
