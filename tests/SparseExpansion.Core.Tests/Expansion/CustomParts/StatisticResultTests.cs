using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Statistics and losses of a user's own are checked, and the error names layer and class.</summary>
public sealed class StatisticResultTests : CustomPartTestBase
{
    private static readonly SparsityTarget s_half = SparsityTarget.Unstructured(0.5);

    [Fact]
    public void Run_NoStatistic_NamesLayerAndPruner() => Fails(
        Builder().PruneWith(new PlainPruner("null"), s_half), "'blocks.0.gate",
        "pruner 'plain' (PlainPruner) made no statistic");

    [Theory]
    [InlineData("no count", "PlainStatistic was shown")]
    [InlineData("no merge", "PlainStatistic merged one of")]
    [InlineData("nan error", "PlainStatistic reports a relative output error of NaN")]
    [InlineData("negative error", "PlainStatistic reports a relative output error of -1")]
    [InlineData("throws", "cannot observe")]
    public void Run_BadStatistic_NamesLayerAndClass(string fault, string said)
    {
        Fails(Builder().PruneWith(new PlainPruner(fault), s_half), "'blocks.0.gate", said);
        if (fault != "nan error" && fault != "negative error")
        {
            Fails(
                Builder().PruneWith(new PlainPruner(fault), s_half).WithSchedule(OneAtATime()), "blocks.0.gate", said);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_ShrinkageOfAStatisticThatCannotLean_IsAnError(bool refit)
    {
        ISparsifier pruner = refit ? new PlainPruner("").WithRefit() : new PlainPruner("");
        foreach (Shrinkage shrinkage in new[] { Shrinkage.HeldOut(), Shrinkage.Fixed(10) })
        {
            Fails(
                Builder().PruneWith(pruner, s_half).WithExpertStatistics(new ExpertStatisticsOptions { Shrinkage = shrinkage }),
                "'blocks.0.gate", "the PlainStatistic of pruner 'plain", "IShrinkable");
        }

        using ExpansionResult result = Builder().PruneWith(pruner, s_half).Run();
    }

    [Fact]
    public void Run_ShrinkageWithAPrunerThatLooksAtNoInputs_ChangesNothing()
    {
        AssertSame(
            Builder().PruneWith(new MagnitudeSparsifier(), s_half),
            Builder().PruneWith(new MagnitudeSparsifier(), s_half).WithExpertStatistics(new ExpertStatisticsOptions { Shrinkage = Shrinkage.HeldOut() }));
    }

    [Theory]
    [InlineData("null", "is null in place of a tensor")]
    [InlineData("vector", "must be a scalar")]
    [InlineData("nan", "is NaN on held-out windows")]
    [InlineData("no gradient", "without gradient")]
    [InlineData("throws", "failed: out of losses")]
    public void FineTune_BadLoss_NamesBlockAndLoss(string fault, string said)
    {
        IFineTuningLoss loss = FineTuningLoss.From("my loss", (outputs, dense) => fault switch
        {
            "null" => null!,
            "vector" => outputs - dense,
            "nan" => (outputs - dense).sum() * Scalars.Of(double.NaN),
            "no gradient" => (outputs.detach() - dense).Squared().mean(),
            _ => throw new InvalidOperationException("out of losses"),
        });

        Fails(Builder().FineTune(new FineTuningOptions { Steps = 4, CheckInterval = 2, HoldOut = 0.25, Loss = loss }), "fine-tuning failed at layer 'block 0'", "the loss 'my loss'", said);
    }

    private MemorySchedule OneAtATime() => new(null, Model.named_modules().ToDictionary(entry => entry.name, _ => 1));

    private sealed class PlainPruner(string fault) : Sparsifier<PlainStatistic>
    {
        public override string Name => "plain";

        public override PlainStatistic CreateStatistic(LayerDescriptor layer) => fault == "null" ? null! : new(fault);

        protected override PrunedWeight PruneCore(
            Tensor weight, PlainStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
            new(weight.masked_fill(LowestScores(weight.abs(), target, SparsityScope.Row), Scalars.Of(0)));
    }

    private sealed class PlainStatistic(string fault) : IOutputErrorStatistic
    {
        public long TokenCount { get; private set; }

        public void Observe(Tensor tokens)
        {
            TokenCount += fault switch
            {
                "no count" => 0,
                "throws" => throw new NotSupportedException("cannot observe"),
                _ => tokens.shape[0],
            };
        }

        public void Merge(IActivationStatistic other) => TokenCount += fault == "no merge" ? 0 : other.TokenCount;

        public double RelativeOutputError(Tensor dense, Tensor changed)
        {
            dense.zero_();
            return fault switch { "nan error" => double.NaN, "negative error" => -1, _ => 0.25 };
        }

        public void Dispose()
        {
        }
    }
}
