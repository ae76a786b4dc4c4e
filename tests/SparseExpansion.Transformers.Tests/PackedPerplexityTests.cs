using SparseExpansion.Expansion;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Packed experts give the perplexity of the same experts stored dense, on a trained checkpoint.</summary>
public sealed class PackedPerplexityTests
{
    [Fact]
    public void Evaluate_PackedModel_EqualsMaskedDense()
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        string tokens = Path.Combine(folder, "tokens.safetensors");
        TokenWindows evaluation = TokenWindows.FromSafetensors(tokens, "evaluation").Take(32);
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        using (var scope = NewDisposeScope())
        {
            using ExpansionResult result = model.Expand()
                .Blocks(m => m.Blocks).Targets("*.mlp.*")
                .RouteWith(new PcaKMeansOptions { Experts = 16, PcaReduction = 4, Restarts = 2 })
                .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.5))
                .CalibrateOn([.. TokenWindows.FromSafetensors(tokens, "calibration").Take(32).Batches(8)])
                .Run(cancellationToken: TestContext.Current.CancellationToken);
        }

        double packed = Perplexity.Evaluate(model, evaluation).Perplexity;
        double masked = Evaluate(model, layer => layer.Unpack(), evaluation);
        double bfloat16 = Evaluate(model, layer => layer.Pack().to(ScalarType.BFloat16), evaluation);

        Assert.Equal(masked, packed, masked * 1e-4);
        Assert.Equal(masked, bfloat16, masked * 5e-3);
    }

    private static double Evaluate(CausalLanguageModel model, Action<SparseMixtureLayer> change, TokenWindows windows)
    {
        foreach (SparseMixtureLayer layer in model.modules().OfType<SparseMixtureLayer>())
        {
            change(layer);
        }

        return Perplexity.Evaluate(model, windows).Perplexity;
    }
}
