using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Errors at one of several experts carry its number, whatever order the experts are taken in.</summary>
public sealed class ExpertErrorTests
{
    private static readonly SparsityTarget s_low = SparsityTarget.Unstructured(0.25), s_high = SparsityTarget.Unstructured(0.5);

    [Fact]
    public void PruneExperts_TargetsThatDiffer_CountsAmongAllExperts()
    {
        using var scope = NewDisposeScope();
        TokenCountStatistic[] statistics = [.. Enumerable.Range(0, 4).Select(tokens => Counted(tokens))];
        ISparsifier pruner = new FailsAt(3);

        Exception error = Assert.Throws<NotSupportedException>(() => pruner.PruneExperts(ones(2, 4), statistics, [s_low, s_high, s_low, s_high]));

        Assert.Equal(3, ErrorPlace.ExpertOf(error));
        Array.ForEach(statistics, statistic => statistic.Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PruneExperts_UnusableHessian_CarriesTheExpert(bool refit)
    {
        using var scope = NewDisposeScope();
        HessianStatistic[] statistics = [Observed(1f), Observed(2f), Observed(3f), Observed(float.NaN)];
        ISparsifier pruner = refit ? new SparseGptSparsifier().WithRefit() : new SparseGptSparsifier();

        Exception together = Assert.Throws<CalibrationException>(() => pruner.PruneExperts(rand(2, 4), statistics, s_low));
        Exception apart = Assert.Throws<CalibrationException>(() => pruner.PruneExperts(rand(2, 4), statistics, [s_low, s_high, s_low, s_high]));

        Assert.Equal((3, 3), (ErrorPlace.ExpertOf(together), ErrorPlace.ExpertOf(apart)));
        Array.ForEach(statistics, statistic => statistic.Dispose());
    }

    private static HessianStatistic Observed(float value)
    {
        using Tensor tokens = full(3, 4, Scalars.Of(value));
        var statistic = new HessianStatistic(4, CPU);
        statistic.Observe(tokens);
        return statistic;
    }

    private static TokenCountStatistic Counted(int tokens)
    {
        using Tensor observed = ones(tokens, 4);
        var statistic = new TokenCountStatistic(4);
        statistic.Observe(observed);
        return statistic;
    }

    /// <summary>Knows experts by their number of tokens.</summary>
    private sealed class FailsAt(int tokens) : Sparsifier<TokenCountStatistic>
    {
        public override string Name => "fails";

        public override TokenCountStatistic CreateStatistic(LayerDescriptor layer) => new(layer.InFeatures);

        protected override PrunedWeight PruneCore(Tensor weight, TokenCountStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
            statistic.TokenCount == tokens ? throw new NotSupportedException("out of ideas") : new PrunedWeight(weight.clone()) { MayKeepMore = true };
    }
}
