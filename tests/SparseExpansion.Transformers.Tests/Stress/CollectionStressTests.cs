using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Models;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using SparseExpansion.Testing.NativeLifetime;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Stress;

/// <summary>
/// Expansions with every option, saving, loading, evaluation and generation while garbage is collected all the time.
/// </summary>
public sealed class CollectionStressTests
{
    private static readonly (string Name, Func<ExpansionBuilder<CausalLanguageModel>, ExpansionBuilder<CausalLanguageModel>> Set)[] s_recipes =
    [
        ("best", builder => builder
            .WithRecipe(LanguageModelRecipe.Best, SparsityTarget.Unstructured(0.5))
            .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = null, Restarts = 1 })
            .RefineRouter(new RouterRefinementOptions { Rounds = 1, Epochs = 2 })
            .FineTune(LanguageModelRecipe.Best.FineTuning! with { Steps = 6, CheckInterval = 2, HoldOut = 0.2 })),
        ("SparseGPT, 4 bits, compensated", builder => builder
            .RouteWith(new PcaKMeansOptions { Experts = 3, PcaReduction = 2 })
            .PruneWith(
                new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization { Bits = 4 } }),
                SparsityTarget.NM(2, 4))
            .CompensateErrors()),
        ("Wanda, refit, allocated, shrunk", builder => builder
            .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null })
            .PruneWith(new WandaSparsifier().WithRefit(), SparsityTarget.Unstructured(0.5))
            .Allocate(SparsityAllocation.OutputError())
            .WithExpertStatistics(new ExpertStatisticsOptions { Shrinkage = Shrinkage.HeldOut(), MinimumTokens = 20 })),
        ("magnitude at random", builder => builder
            .RouteWith(new RandomRouterTrainer(2))
            .PruneWith(
                new MagnitudeSparsifier().WithQuantization(new WeightQuantization { Bits = 8 }),
                SparsityTarget.Unstructured(0.5))),
    ];

    [Fact]
    public void ExpandSaveLoadGenerate_WhileGarbageIsCollected_GivesWhatAnUndisturbedRunGives()
    {
        string[] undisturbed = [.. s_recipes.Select(recipe => Run(recipe.Set))];
        Assert.Equal(s_recipes.Length, undisturbed.Distinct().Count());
        using var pressure = new GarbagePressure();
        var clock = Stopwatch.StartNew();
        for (int run = 0; run < s_recipes.Length || clock.Elapsed < GarbagePressure.Duration; run++)
        {
            int recipe = run % s_recipes.Length;
            Assert.Equal(undisturbed[recipe], Run(s_recipes[recipe].Set));
        }
    }

    /// <summary>
    /// Hashes of the saved experts, the perplexity to the last bit, and the text that the loaded model generates.
    /// </summary>
    private static string Run(Func<ExpansionBuilder<CausalLanguageModel>, ExpansionBuilder<CausalLanguageModel>> set)
    {
        using var folder = new TemporaryFolder();
        string source = Fixture.Model(Fixture.Llama), output = Path.Combine(folder.Path, "expanded");
        using CausalLanguageModel model = PretrainedModel.Load(source);
        var random = new Random(5);
        TokenWindows windows = TokenWindows.FromTokens(
            [.. Enumerable.Range(0, 24 * 24).Select(_ => random.Next(model.Config.VocabularySize))], 24);
        Tensor[] batches = [.. windows.Batches(8)];
        using (ExpansionResult result = set(model.Expand().Blocks(m => m.Blocks)).Targets("*.mlp.*").CalibrateOn(batches).WithSeed(3).Run())
        {
            result.SavePretrained(output, source);
        }

        Array.ForEach(batches, batch => batch.Dispose());
        using CausalLanguageModel loaded = PretrainedModel.Load(output);
        string hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(output, "experts.safetensors"))));
        string perplexity = Perplexity.Evaluate(loaded, windows).Perplexity.ToString("R", CultureInfo.InvariantCulture);
        return $"{hash} {perplexity} {string.Join(' ', TextGenerator.Generate(loaded, [1, 2, 3], new GenerationOptions { MaxNewTokens = 12 }))}";
    }
}
