using SparseExpansion.Expansion;
using SparseExpansion.Expansion.DenseQuantization;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Language models whose weights are all in few bits.</summary>
public sealed class DenseQuantizationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Fixture.Llama, false)]
    [InlineData(Fixture.Qwen2, true)]
    [InlineData("gpt2", true)]
    [InlineData("opt", true)]
    [InlineData("mixtral", false)]
    [InlineData(Fixture.NeoXParallel, false)]
    public void ExpandSaveLoad_AnyFamily_GivesTheSameLogits(string name, bool tied)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        Assert.Equal(tied, model.Config.TieWordEmbeddings);
        Tensor[] ids = [.. Enumerable.Range(0, 4).Select(i => randint(0, model.Config.VocabularySize, [2, 16]))];
        using ExpansionResult result = model.ExpandFeedForward(SparsityTarget.Unstructured(0.5), ExpansionRecipe.Published with
        {
            Router = new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 2, PcaReduction = null, Restarts = 1 }),
            DenseQuantization = new DenseQuantizationOptions(),
        })
            .CalibrateOn(ids.Select(Calibration.CalibrationBatch.FromTensor)).Run();
        string output = _folder.File("expanded");
        result.SavePretrained(output, Fixture.Model(name));

        RoundedLayer[] rounded = [.. result.Report.DenseQuantization];
        string matrix = model.Names.EmbeddingWeight[..^".weight".Length];
        Assert.Equal(tied, rounded.Single(layer => layer.Name == matrix).OutputError is not null);
        string[] plain = ["routers.", "embed_positions", "wpe", "block_sparse_moe.gate"];
        Assert.All(
            ExpandedModel.ListTensors(output).Values.Where(entry => entry.Shape.Count == 2 && !plain.Any(part => entry.Name.Contains(part, StringComparison.Ordinal))),
            matrix => Assert.False(matrix.Name.EndsWith(".weight", StringComparison.Ordinal), matrix.Name));
        using CausalLanguageModel loaded = PretrainedModel.Load(output);
        Assert.True(TensorChecks.Equal(model.call(ids[0]), loaded.call(ids[0])));
        Assert.Equal(rounded.Length, loaded.modules().Count(module => Layers.RoundedWeights.Find(module) is not null));
    }

    [Theory]
    [InlineData(4, 1.10)]
    [InlineData(8, 1.01)]
    public void Expand_TrainedModel_CostsLittlePerplexity(int bits, double most)
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        double plain = Measure(folder, null), rounded = Measure(folder, new DenseQuantizationOptions { Weights = new WeightQuantization { Bits = bits, GroupSize = 64 } });
        TestContext.Current.SendDiagnosticMessage($"{bits} bits: {plain} to {rounded}");
        Assert.InRange(rounded / plain, 0.98, most);
    }

    private static double Measure(string folder, DenseQuantizationOptions? options)
    {
        using var scope = NewDisposeScope();
        string tokens = Path.Combine(folder, "tokens.safetensors");
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        ExpansionBuilder<CausalLanguageModel> builder = model.Expand().Blocks(m => m.Blocks).Targets("*.mlp.*")
            .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = 4, Restarts = 1 })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn([.. TokenWindows.FromSafetensors(tokens, "calibration").Take(32).Batches(8)]);
        using ExpansionResult result = (options is null ? builder : builder.QuantizeDense(options))
            .Run(cancellationToken: TestContext.Current.CancellationToken);
        return Perplexity.Evaluate(model, TokenWindows.FromSafetensors(tokens, "evaluation").Take(32)).Perplexity;
    }
}
