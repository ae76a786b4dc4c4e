using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Expansion.Compensation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

public sealed class RecipeTests : IDisposable
{
    private readonly GatedModel _model = new();
    private readonly Tensor[] _batches = GatedModel.Batches();

    public void Dispose()
    {
        _model.Dispose();
        Array.ForEach(_batches, batch => batch.Dispose());
    }

    [Fact]
    public void Published_IsWhatTheDefaultsGive()
    {
        SparsityTarget target = SparsityTarget.NM(2, 4);
        ExpansionManifest defaults = Run(builder => builder.RouteWith(new PcaKMeansOptions()).PruneWith(new SparseGptSparsifier(), target)).Manifest;
        ExpansionManifest recipe = Run(builder => builder.WithRecipe(ExpansionRecipe.Published, target)).Manifest;
        Assert.Equal((defaults.Settings, defaults.Pruner, defaults.Router, defaults.Sparsity), (recipe.Settings, recipe.Pruner, recipe.Router, recipe.Sparsity));
    }

    [Fact]
    public void Best_DoesAllThatIsInIt()
    {
        ExpansionRecipe small = ExpansionRecipe.Best with { FineTuning = new FineTuningOptions { Steps = 3 } };
        ExpansionReport report = Run(builder => builder.WithRecipe(small with { Router = new PcaKMeansTrainer(((PcaKMeansTrainer)small.Router).Options with { Experts = 2 }) }, SparsityTarget.Unstructured(0.5)));
        Assert.Equal("alps", report.Manifest.Pruner);
        Assert.Equal(2, report.FineTuning.Count);
        Assert.Contains(nameof(ErrorCompensationOptions), report.Manifest.Settings, StringComparison.Ordinal);
        Assert.All(report.Layers, layer => Assert.NotNull(layer.RouterRefinement));
    }

    /// <summary>
    /// Nearly all of the time goes into the groups: a bar that moved between them only would stand still for long.
    /// </summary>
    [Fact]
    public void Best_Progress_MovesWithinGroupsAndNeverFalls()
    {
        var steps = new List<ExpansionProgress>();
        ExpansionRecipe small = ExpansionRecipe.Best with { FineTuning = new FineTuningOptions { Steps = 3 } };
        using ExpansionResult result = _model.Expand().Blocks(m => m.blocks).Targets("blocks.*").CalibrateOn(_batches)
            .WithRecipe(small with { Router = new PcaKMeansTrainer(((PcaKMeansTrainer)small.Router).Options with { Experts = 2 }) }, SparsityTarget.Unstructured(0.5))
                .Run(new ImmediateProgress<ExpansionProgress>(steps.Add));

        Assert.Equal(steps.Select(step => step.Fraction).Order(), steps.Select(step => step.Fraction));
        double[] firstGroup = [.. steps.Where(step => step is { Block: 0, Layer: not null } && step.Layer.Contains("gate", StringComparison.Ordinal)).Select(step => step.Fraction).Distinct()];
        Assert.True(firstGroup.Length >= 3, string.Join(", ", firstGroup));
        Assert.All(firstGroup, fraction => Assert.InRange(fraction, 0, 0.125)); // Two blocks, half of each for fine-tuning, two groups in a block.
        result.Revert();
    }

    [Fact]
    public void LaterCalls_OverrideTheRecipe()
    {
        ExpansionReport report = Run(builder => builder
            .WithRecipe(ExpansionRecipe.Fast, SparsityTarget.Unstructured(0.5))
            .RouteWith(new PcaKMeansOptions { Experts = 3 })
            .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.25)));
        Assert.Equal(("wanda", "0.25"), (report.Manifest.Pruner, report.Manifest.Sparsity));
        Assert.All(report.Layers, layer => Assert.Equal(3, layer.Experts));
    }

    [Fact]
    public void WithRecipe_RouterOfAnotherKind_IsTrained()
    {
        ExpansionReport report = Run(builder => builder.WithRecipe(
            ExpansionRecipe.Fast with { Router = new RandomRouterTrainer(3) }, SparsityTarget.Unstructured(0.5)));

        Assert.Equal("random", report.Manifest.Router);
        Assert.All(report.Layers, layer => Assert.Equal(3, layer.Experts));
    }

    /// <summary>What runs are resumed by.</summary>
    [Fact]
    public void Recipes_DescribeTheirRoutersByAllOptions()
    {
        Assert.Equal($"pca-kmeans: {new PcaKMeansOptions()}", $"{ExpansionRecipe.Published.Router}");
        Assert.Equal($"kmeans: {new PcaKMeansOptions { PcaReduction = null }}", $"{ExpansionRecipe.Best.Router}");
        Assert.Equal(
            $"pca-kmeans: {new PcaKMeansOptions { Experts = 4, Restarts = 1, MaxIterations = 25, SampleTokens = 8_192 }}",
            $"{ExpansionRecipe.Fast.Router}");
    }

    [Fact]
    public void WithRecipe_NoRouter_IsNamed() =>
        Assert.Equal("Router", Assert.Throws<ArgumentNullException>(() => _model.Expand().WithRecipe(
            ExpansionRecipe.Fast with { Router = null! }, SparsityTarget.Unstructured(0.5))).ParamName);

    private ExpansionReport Run(Func<ExpansionBuilder<GatedModel>, ExpansionBuilder<GatedModel>> configure)
    {
        using ExpansionResult result = configure(_model.Expand().Blocks(m => m.blocks).Targets("blocks.*").CalibrateOn(_batches)).Run();
        ExpansionReport report = ExpansionReport.FromJson(result.Report.ToJson());
        result.Revert();
        return report;
    }
}
