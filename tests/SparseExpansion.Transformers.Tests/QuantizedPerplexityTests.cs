using SparseExpansion.Expansion;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Perplexity lost by rounding a trained checkpoint.</summary>
public sealed class QuantizedPerplexityTests
{
    [Fact]
    public void Expand_FourBits_CostsLittlePerplexityAndFewBytes()
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        (double plain, _) = Measure(folder, null);
        (double quantized, double bytes) = Measure(folder, new WeightQuantization());
        (double eight, double eightBytes) = Measure(folder, new WeightQuantization { Bits = 8, GroupSize = null });

        Assert.InRange(quantized / plain, 0.99, 1.03);
        Assert.InRange(bytes, 0.3, 0.41);
        Assert.InRange(eight / plain, 0.99, 1.02); // Rounding changes masks, and few calibration windows make masks a matter of luck.
        Assert.InRange(eightBytes, 0.6, 0.66);
    }

    private static (double Perplexity, double BytesPerWeight) Measure(string folder, WeightQuantization? quantization)
    {
        using var scope = NewDisposeScope();
        string tokens = Path.Combine(folder, "tokens.safetensors");
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        using ExpansionResult result = model.Expand()
            .Blocks(m => m.Blocks).Targets("*.mlp.*")
            .RouteWith(new PcaKMeansOptions { Experts = 16, PcaReduction = 4, Restarts = 2 })
            .PruneWith(
                new SparseGptSparsifier(new SparseGptOptions { Quantization = quantization }),
                SparsityTarget.Unstructured(0.5))
            .CalibrateOn([.. TokenWindows.FromSafetensors(tokens, "calibration").Take(32).Batches(8)])
            .Run(cancellationToken: TestContext.Current.CancellationToken);
        double perplexity =
            Perplexity.Evaluate(model, TokenWindows.FromSafetensors(tokens, "evaluation").Take(32)).Perplexity;
        SparseMixtureLayer[] layers = [.. model.modules().OfType<SparseMixtureLayer>()];
        return (perplexity, layers.Sum(layer => layer.ExpertBytes) / (double)layers.Sum(layer => layer.ExpertCount * layer.InFeatures * layer.OutFeatures));
    }
}
