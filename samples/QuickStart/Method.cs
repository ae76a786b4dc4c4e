using SparseExpansion;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Transformers;

namespace QuickStart;

/// <summary>A way to make a model sparse.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Recipe">How experts are found, pruned and tuned.</param>
/// <param name="Router">Another way to find them, or null.</param>
internal sealed record Method(string Name, ExpansionRecipe Recipe, IRouterTrainer? Router = null)
{
    /// <summary>One sparse copy for all tokens, by the pruner that the published method uses.</summary>
    public static Method SparseGpt { get; } = Alone("SparseGPT", new SparseGptSparsifier());

    /// <summary>The published method.</summary>
    public static Method Published(int experts) =>
        new($"published, {experts} experts", ExpansionRecipe.Published with { Router = Clusters(experts) });

    /// <summary>
    /// A short form of <see cref="LanguageModelRecipe.Best"/>, so that the sample takes no more than a minute or two:
    /// ALPS with steeper penalties, few steps of fine-tuning, no router refinement.
    /// </summary>
    public static Method Best { get; } = new("best in short, 16 experts", LanguageModelRecipe.Best with
    {
        Router = Clusters(16, pcaReduction: null),
        Pruner = new AlpsSparsifier(new AlpsOptions { Penalty = 0.3, PenaltyIncrease = 3 }),
        Refinement = null,
        FineTuning = LanguageModelRecipe.Best.FineTuning! with { Steps = 40, LearningRate = 2e-3, CheckInterval = 20 },
    });

    /// <summary>
    /// The methods to compare: pruning alone, Sparse Expansion, its control with random experts, and what goes beyond
    /// the paper.
    /// </summary>
    public static IReadOnlyList<Method> All { get; } =
    [
        Alone("magnitude", new MagnitudeSparsifier()),
        Alone("Wanda", new WandaSparsifier()),
        SparseGpt,
        new("16 experts of random tokens", ExpansionRecipe.Published, new RandomRouterTrainer(experts: 16)),
        Published(experts: 4),
        Published(experts: 16),
        Best,
    ];

    private static PcaKMeansTrainer Clusters(int experts, int? pcaReduction = 4) =>
        new(new PcaKMeansOptions { Experts = experts, PcaReduction = pcaReduction, Restarts = 4 });

    private static Method Alone(string name, ISparsifier pruner) =>
        new(name, ExpansionRecipe.Published with { Pruner = pruner }, new SingleExpertRouterTrainer());

    #region expand
    /// <summary>Expands the feed-forward layers of a model, in place, block by block.</summary>
    public ExpansionResult Expand(SampleModel sample, SparsityTarget target) =>
        sample.Model.Expand()
            .Blocks(model => model.Blocks)
            .Targets("*.mlp.*")
            .WithRecipe(Recipe, target)
            .RouteWith(Router ?? Recipe.Router)
            .CalibrateOn(sample.Calibration)
            .WithSeed(1)
            .Run();
    #endregion
}
