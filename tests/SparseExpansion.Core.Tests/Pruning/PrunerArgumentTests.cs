using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>Arguments that all pruners refuse, and take, alike, whichever way they are asked.</summary>
public sealed class PrunerArgumentTests
{
    private static readonly LayerDescriptor s_layer = new("layer", 8, 4, CPU);

    public static TheoryData<string> Pruners => ["magnitude", "wanda", "sparsegpt", "alps", "wanda+refit", "sparsegpt+4bit"];

    [Theory]
    [MemberData(nameof(Pruners))]
    public void CreateStatistic_NoLayer_Throws(string name) =>
        Assert.Throws<ArgumentNullException>("layer", () => Create(name).CreateStatistic(null!));

    [Theory]
    [MemberData(nameof(Pruners))]
    public void PruneExperts_BadArguments_AreRefused(string name)
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = Create(name);
        using IActivationStatistic statistic = pruner.CreateStatistic(s_layer);
        statistic.Observe(randn(30, 8));
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        Tensor weight = randn(4, 8);
        AssertRefused<PruningException>(pruner, weight / Scalars.Of(0), statistic, half);
        AssertRefused<PruningException>(pruner, randn(8), statistic, half);
        AssertRefused<PruningException>(pruner, ones([4, 8], ScalarType.Int64), statistic, half);
        AssertRefused<IncompatibleSparsityException>(pruner, weight, statistic, SparsityTarget.NM(1, 3));
        AssertRefused<ArgumentNullException>(pruner, null!, statistic, half);
        AssertRefused<ArgumentNullException>(pruner, weight, statistic, null!);
        AssertRefused<ArgumentNullException>(pruner, weight, null!, half);
        Assert.Throws<ArgumentNullException>(() => pruner.PruneExperts(weight, null!, [half]));
        Assert.Throws<ArgumentException>(() => pruner.PruneExperts(weight, [statistic], [half, half]));
    }

    /// <summary>No feature is ever used: as many weights go as were asked for, and nothing is divided by 0.</summary>
    [Theory]
    [InlineData("sparsegpt")]
    [InlineData("alps")]
    public void Prune_TokensAreZero_KeepsToTheTarget(string name)
    {
        using var scope = NewDisposeScope();
        ISparsifier pruner = Create(name);
        using IActivationStatistic statistic = pruner.CreateStatistic(s_layer);
        statistic.Observe(zeros(30, 8));
        using PruningResult result = pruner.Prune(randn(4, 8), statistic, SparsityTarget.Unstructured(0.5));
        Assert.Equal(0.5, result.Sparsity);
        Assert.Equal(16, result.Weight.count_nonzero().item<long>());
        Assert.True(result.Weight.isfinite().all().item<bool>());
    }

    private static void AssertRefused<TException>(ISparsifier pruner, Tensor weight, IActivationStatistic statistic, SparsityTarget target)
        where TException : Exception
    {
        Assert.Throws<TException>(() => pruner.Prune(weight, statistic, target));
        Assert.Throws<TException>(() => pruner.PruneExperts(weight, [statistic], [target]));
    }

    private static ISparsifier Create(string name) => name switch
    {
        "magnitude" => new MagnitudeSparsifier(),
        "wanda" => new WandaSparsifier(),
        "sparsegpt" => new SparseGptSparsifier(),
        "alps" => new AlpsSparsifier(),
        "wanda+refit" => new WandaSparsifier().WithRefit(),
        _ => new SparseGptSparsifier().WithQuantization(),
    };
}
