using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Compensation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Transformers;

namespace SparseExpansion.Benchmarks.Accuracy;

/// <summary>The rows of the accuracy table.</summary>
public static class AccuracyRows
{
    private static readonly ExpansionRecipe s_published = ExpansionRecipe.Published;
    private static readonly ExpansionRecipe s_alps = s_published with { Router = new PcaKMeansTrainer(new PcaKMeansOptions { PcaReduction = null }), Pruner = new AlpsSparsifier() };

    /// <summary>All of them, in the order of the table.</summary>
    public static IReadOnlyList<AccuracyRow> All { get; } =
    [
        Single("magnitude", new MagnitudeSparsifier()),
        Single("Wanda", new WandaSparsifier()),
        Single("SparseGPT", new SparseGptSparsifier()),
        Single("SparseGPT + refit", new SparseGptSparsifier().WithRefit()),
        Single("ALPS", new AlpsSparsifier()),
        new("ALPS + fine-tuning", s_alps with { FineTuning = new FineTuningOptions() }) { Router = new SingleExpertRouterTrainer() },
        .. Counts(s_published, "published", 4, 16, 64),
        new("published, 16 random experts", s_published) { Router = new RandomRouterTrainer(16) },
        new("published, 2 experts in the storage of one", Experts(s_published, 2)) { SharedStorage = 2 },
        new("published, 4 experts in the storage of one", Experts(s_published, 4)) { SharedStorage = 4 },
        new("16 experts, no PCA", s_published with { Router = new PcaKMeansTrainer(new PcaKMeansOptions { PcaReduction = null }) }),
        new("16 experts + router refinement", s_published with { Refinement = new RouterRefinementOptions() }),
        new("16 experts + shrinkage", s_published with { ExpertStatistics = new ExpertStatisticsOptions { Shrinkage = Shrinkage.HeldOut() } }),
        new("16 experts + allocation by outliers", s_published with { Allocation = SparsityAllocation.Owl() }),
        new("16 experts + allocation by output error", s_published with { Allocation = SparsityAllocation.OutputError() }),
        new("16 experts + refit", s_published with { Pruner = new SparseGptSparsifier().WithRefit() }),
        new("16 experts + ALPS", s_published with { Pruner = new AlpsSparsifier() }),
        new("16 experts + error compensation", s_published with { Compensation = new ErrorCompensationOptions() }),
        new("16 experts + fine-tuning", s_published with { FineTuning = new FineTuningOptions() }),
        .. Counts(s_alps, "ALPS, no PCA", 4, 16, 64),
        new("ALPS, no PCA, 16 experts + router refinement", s_alps with { Refinement = new RouterRefinementOptions() }),
        new("ALPS, no PCA, 16 experts + error compensation", s_alps with { Compensation = new ErrorCompensationOptions() }),
        new("ALPS, no PCA, 16 experts + fine-tuning", s_alps with { FineTuning = new FineTuningOptions() }),
        .. Counts(LanguageModelRecipe.Best, "best", 4, 16, 64),
        new("best without fine-tuning, 16 experts", LanguageModelRecipe.Best with { FineTuning = null }),
        new("best, 16 random experts", LanguageModelRecipe.Best with { Refinement = null }) { Router = new RandomRouterTrainer(16) },
    ];

    private static AccuracyRow Single(string name, ISparsifier pruner) =>
        new(name, s_published with { Pruner = pruner }) { Router = new SingleExpertRouterTrainer() };

    private static IEnumerable<AccuracyRow> Counts(ExpansionRecipe recipe, string name, params int[] counts) =>
        counts.Select(count => new AccuracyRow($"{name}, {count} experts", Experts(recipe, count)));

    private static ExpansionRecipe Experts(ExpansionRecipe recipe, int count) =>
        recipe with { Router = new PcaKMeansTrainer(((PcaKMeansTrainer)recipe.Router).Options with { Experts = count }) };
}
