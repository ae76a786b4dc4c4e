using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// Pruners of others are guarded once: by their base class where they have it, by the caller where they have not.
/// </summary>
public sealed class PrunerCallsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Prune_CustomPruner_LooksAtTheStatisticOnceBeforeAndOnceAfter(bool wrapped)
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = wrapped ? new Wrapper() : new Halving();
        using var statistic = new Watched();

        using PruningResult one = PrunerCalls.Prune(pruner, ones(2, 4), statistic, SparsityTarget.Unstructured(0.5), default);
        int first = statistic.Looks;
        using PruningResult expert = PrunerCalls.PruneExperts(pruner, ones(2, 4), [statistic], SparsityTarget.Unstructured(0.5), default)[0];

        // What wraps a pruner is guarded beside the one in it.
        Assert.Equal(wrapped ? (4, 8) : (2, 4), (first, statistic.Looks));
        Assert.Equal((0.5, 0.5), (one.Sparsity, expert.Sparsity));
    }

    [Fact]
    public void Diagnostics_OfACustomPruner_TravelWithTheResult()
    {
        using var scope = NewDisposeScope();
        using var statistic = new Watched();

        using PruningResult result = new Halving().Prune(ones(2, 4), statistic, SparsityTarget.Unstructured(0.5));

        Assert.Equal([new Halved(4)], result.Diagnostics);
        Assert.Throws<ArgumentNullException>(() => new PrunedWeight(result.Weight) { Diagnostics = null! });
    }

    private sealed record Halved(int Columns) : PruningDiagnostic;

    /// <summary>Prunes the first half of the columns.</summary>
    private sealed class Halving : Sparsifier<Watched>
    {
        public override string Name => "halving";

        public override Watched CreateStatistic(LayerDescriptor layer) => new();

        protected override PrunedWeight PruneCore(Tensor weight, Watched statistic, SparsityTarget target, CancellationToken cancellationToken)
        {
            weight.narrow(1, 0, weight.shape[1] / 2).fill_(Scalars.Of(0));
            return new PrunedWeight(weight) { Diagnostics = [new Halved((int)weight.shape[1])] };
        }
    }

    private sealed class Wrapper : ISparsifier
    {
        private readonly Halving _inner = new();

        public string Name => "wrapper";

        public IActivationStatistic CreateStatistic(LayerDescriptor layer) => new Watched();

        public PruningResult Prune(Tensor weight, IActivationStatistic statistic, SparsityTarget target, CancellationToken cancellationToken = default) =>
            _inner.Prune(weight, statistic, target, cancellationToken);
    }

    private sealed class Watched : IChecksummed, IActivationStatistic
    {
        public int Looks { get; private set; }

        public long TokenCount => 1;

        public void Observe(Tensor tokens) => throw new NotSupportedException();

        public void Merge(IActivationStatistic other) => throw new NotSupportedException();

        public double Checksum() => Looks++ * 0;

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
