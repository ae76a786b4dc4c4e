using SparseExpansion;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;

namespace QuickStart;

/// <summary>A way to make a model sparse.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Router">Which expert a token goes to.</param>
/// <param name="Pruner">How experts are made from the dense weight.</param>
internal sealed record Method(string Name, IRouterTrainer Router, ISparsifier Pruner)
{
    /// <summary>The published method.</summary>
    public static Method SparseExpansion(int experts) => new(
        $"Sparse Expansion, {experts} experts",
        new PcaKMeansTrainer(new PcaKMeansOptions { Experts = experts, PcaReduction = 4, Restarts = 4 }),
        new SparseGptSparsifier());

    /// <summary>The methods to compare: pruning alone, Sparse Expansion, and its control with random experts.</summary>
    public static IReadOnlyList<Method> All { get; } =
    [
        new("magnitude", new SingleExpertRouterTrainer(), new MagnitudeSparsifier()),
        new("Wanda", new SingleExpertRouterTrainer(), new WandaSparsifier()),
        new("SparseGPT", new SingleExpertRouterTrainer(), new SparseGptSparsifier()),
        SparseExpansion(experts: 4),
        SparseExpansion(experts: 16),
        new("16 experts of random tokens", new RandomRouterTrainer(experts: 16), new SparseGptSparsifier()),
    ];

    #region expand
    /// <summary>Expands the feed-forward layers of a model, in place, block by block.</summary>
    public ExpansionResult Expand(SampleModel sample, SparsityTarget target) =>
        sample.Model.Expand()
            .Blocks(model => model.Blocks)
            .Targets("*.mlp.*")
            .RouteWith(Router)
            .PruneWith(Pruner, target)
            .CalibrateOn(sample.Calibration)
            .WithSeed(1)
            .Run();
    #endregion
}
