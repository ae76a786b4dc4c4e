using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Results of a user's own pruners are checked, and the error names layer, expert and class.</summary>
public sealed class PrunerResultTests : CustomPartTestBase
{
    public static TheoryData<string, string> Faults => new()
    {
        { "nan", "NaN or infinite" },
        { "infinity", "NaN or infinite" },
        { "null", "returned null in place of a weight" },
        { "null weight", "returned null in place of a weight" },
        { "transposed", "returned Float32 [16, 24] on cpu for a weight Float32 [24, 16] on cpu" },
        { "vector", "returned Float32 [384]" },
        { "integers", "returned Int32 [24, 16]" },
        { "elsewhere", "on meta" },
        { "unpruned", "pruned 0 of 384 weights, but the target 0.5 asks for at least 189" },
        { "half", "MayKeepMore" },
        { "grid", "grid for" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Run_BadWeight_NamesLayerExpertAndClass(string fault, string said)
    {
        using var scope = NewDisposeScope();
        string message = Fails(Builder().PruneWith(new ScriptedPruner((weight, mask) => Return(fault, weight, mask)), SparsityTarget.Unstructured(0.5)), said);

        Assert.Contains("layer 'blocks.0.gate', expert 0", message, StringComparison.Ordinal);
        Assert.Contains("pruner 'scripted' (ScriptedPruner)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_NaNInALaterExpertOfALaterLayer_NamesThatPrunerAndNotTheNextLayersInputs()
    {
        int downs = 0;
        var pruner = new ScriptedPruner((weight, mask) => new PrunedWeight(
            weight.masked_fill(mask, Scalars.Of(weight.shape[1] == GatedModel.Hidden && downs++ == 1 ? double.NaN : 0))));

        Fails(Builder().PruneWith(pruner, SparsityTarget.Unstructured(0.5)), "The pruner failed at layer 'blocks.0.down', expert 1", "ScriptedPruner", "NaN");
    }

    [Fact]
    public void Run_NaNWeights_AreFoundWithWholeModelAsOneUnitAndWithCompensation()
    {
        var pruner = new ScriptedPruner(
            (weight, mask) => new PrunedWeight(weight.masked_fill(mask, Scalars.Of(double.NaN))));

        Fails(Model.Expand().Targets("blocks.*").RouteWith(new Routing.Routers.RandomRouterTrainer(2)).PruneWith(pruner, SparsityTarget.Unstructured(0.5)).CalibrateOn(Batches), "blocks.0.gate");
        Fails(Builder().PruneWith(pruner, SparsityTarget.Unstructured(0.5)).CompensateErrors(), "blocks.0.gate", "expert 0");
        Fails(Builder().PruneWith(pruner, SparsityTarget.Unstructured(0.5)).Allocate(SparsityAllocation.OutputError()), "allocation failed at layer 'blocks.0.gate'");
        Fails(Builder().PruneWith(pruner.WithRefit(), SparsityTarget.Unstructured(0.5)), "blocks.0.gate", "expert 0", "ScriptedPruner");
        Fails(Builder().PruneWith(pruner.WithQuantization(), SparsityTarget.Unstructured(0.5)), "blocks.0.gate", "expert 0", "ScriptedPruner");
    }

    [Fact]
    public void Run_GroupsWithMoreThanN_IsAnErrorUnlessMeant()
    {
        PrunedWeight Alternate(Tensor weight, Tensor mask, bool meant)
        {
            Tensor first = zeros_like(mask);
            first.narrow(1, 0, 12).fill_(Scalars.Of(true)); // As many zeros as 2:4 asks for and more, but not in all groups.
            return new PrunedWeight(weight.masked_fill(first, Scalars.Of(0))) { MayKeepMore = meant };
        }

        Fails(
            Builder().PruneWith(new ScriptedPruner((weight, mask) => Alternate(weight, mask, meant: false)), SparsityTarget.NM(2, 4)),
            "more than 2 of 4", "layer 'blocks.0.gate', expert 0", "ScriptedPruner");
        using ExpansionResult result = Builder().PruneWith(new ScriptedPruner((weight, mask) => Alternate(weight, mask, meant: true)), SparsityTarget.NM(2, 4)).Run();
    }

    [Fact]
    public void Run_FewerZerosOnPurpose_IsTaken()
    {
        using ExpansionResult result = Builder()
            .PruneWith(new ScriptedPruner((weight, _) => new PrunedWeight(weight) { MayKeepMore = true }), SparsityTarget.Unstructured(0.5)).Run();

        Assert.All(result.Report.Layers, layer => Assert.Equal(0, layer.Sparsity));
    }

    [Theory]
    [InlineData(3, 4, 0.5, 4)]
    [InlineData(100, 1_000, 0.5, 49_000)]
    [InlineData(1, 7, 0.5, 0)]
    [InlineData(2, 1, 0.5, 0)]
    [InlineData(64, 64, 0, 0)]
    public void LeastZeros_OfATarget_AreTheRoundedOnesLessOneInAHundred(
        long rows, long columns, double sparsity, long least) =>
        Assert.Equal(least, PruningChecks.LeastZeros(rows, columns, sparsity));

    [Theory]
    [InlineData("null", "returned null for 2 experts")]
    [InlineData("one", "returned 1 results for 2 experts")]
    [InlineData("null result", "expert 1: pruner 'wrapping' (WrappingPruner) returned null in place of a result")]
    [InlineData("transposed", "expert 0: pruner 'wrapping' (WrappingPruner) returned Float32 [16, 24] on cpu for a weight Float32 [24, 16] on cpu")]
    [InlineData("disposed", "expert 0: pruner 'wrapping' (WrappingPruner) returned a result that is disposed")]
    public void Run_BadResultsOfAPrunerThatWrapsAnother_NameIt(string fault, string said) =>
        Fails(Builder().PruneWith(new WrappingPruner(fault), SparsityTarget.Unstructured(0.5)), said, "'blocks.0.gate'", "WrappingPruner");

    private static PrunedWeight? Return(string fault, Tensor weight, Tensor mask)
    {
        Tensor pruned = weight.masked_fill(mask, Scalars.Of(0));
        return fault switch
        {
            "nan" => new PrunedWeight(weight.masked_fill(mask, Scalars.Of(double.NaN))),
            "infinity" => new PrunedWeight(weight.masked_fill(mask, Scalars.Of(double.NegativeInfinity))),
            "null" => null,
            "null weight" => new PrunedWeight(null!),
            "transposed" => new PrunedWeight(pruned.t()),
            "vector" => new PrunedWeight(pruned.flatten()),
            "integers" => new PrunedWeight(pruned.to(ScalarType.Int32)),
            "elsewhere" => new PrunedWeight(pruned.to(META)),
            "unpruned" => new PrunedWeight(weight),
            "half" => new PrunedWeight(weight.masked_fill(mask.logical_and(rand_like(weight).gt(Scalars.Of(0.5))), Scalars.Of(0))),
            "grid" => new PrunedWeight(pruned) { Grid = QuantizationGrid.Fit(zeros(3, 4), new WeightQuantization()) },
            _ => throw new ArgumentOutOfRangeException(nameof(fault)),
        };
    }

    private sealed class WrappingPruner(string fault) : ISparsifier
    {
        private readonly WandaSparsifier _inner = new();

        public string Name => "wrapping";

        public IActivationStatistic CreateStatistic(LayerDescriptor layer) => _inner.CreateStatistic(layer);

        public PruningResult Prune(Tensor weight, IActivationStatistic statistic, SparsityTarget target, CancellationToken cancellationToken = default) =>
            _inner.Prune(weight, (ColumnNormStatistic)statistic, target, cancellationToken);

        public IReadOnlyList<PruningResult> PruneExperts(
            Tensor weight, IReadOnlyList<IActivationStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
            CancellationToken cancellationToken = default)
        {
            PruningResult[] results = [.. statistics.Select((statistic, e) => Prune(weight, statistic, targets[e], cancellationToken))];
            return fault switch
            {
                "null" => null!,
                "one" => results[..1],
                "null result" => [results[0], null!],
                "transposed" => [Transposed(weight, targets[0]), results[1]],
                _ => [Disposed(results[0]), results[1]],
            };
        }

        private static PruningResult Transposed(Tensor weight, SparsityTarget target)
        {
            using var norms = new ColumnNormStatistic((int)weight.shape[0], weight.device);
            norms.Observe(ones(2, weight.shape[0]));
            return new WandaSparsifier().Prune(weight.t().contiguous(), norms, target);
        }

        private static PruningResult Disposed(PruningResult result)
        {
            result.Dispose();
            return result;
        }
    }
}
