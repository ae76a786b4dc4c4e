using SparseExpansion.Expansion;
using SparseExpansion.Inference;
using SparseExpansion.Inference.Evaluation;
using SparseExpansion.Models;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Quantization;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing;

namespace SparseExpansion.Transformers;

/// <summary>Perplexity of the same files by the two engines.</summary>
public sealed class ManagedPerplexityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Negative_Dense_IsThatOfTorch() => AssertNear(SampleFolder.Path);

    [Fact]
    public void Negative_ExpandedInFourBits_IsThatOfTorch()
    {
        using (CausalLanguageModel model = PretrainedModel.Load(SampleFolder.Path))
        {
            using ExpansionResult result = model.ExpandFeedForward(SparsityTarget.Unstructured(0.5))
                .RouteWith(new PcaKMeansOptions { Experts = 16, PcaReduction = 4, Restarts = 1 })
                .PruneWith(
                    new SparseGptSparsifier(new SparseGptOptions { Quantization = new WeightQuantization { Bits = 4 } }),
                    SparsityTarget.Unstructured(0.5))
                .CalibrateOn(Windows("calibration.txt", 24))
                .Run(cancellationToken: TestContext.Current.CancellationToken);
            result.SavePretrained(_folder.File("expanded"), SampleFolder.Path);
        }

        AssertNear(_folder.File("expanded"));
    }

    private static TokenWindows Windows(string file, int count) => TokenWindows.FromText(
        File.ReadAllText(Path.Combine(SampleFolder.Path, file)), TextTokenizer.Load(SampleFolder.Path), 256).Take(count);

    /// <summary>Tokens in floats: within 0.1 % of torch. In eight bits: within 0.5 %.</summary>
    private static void AssertNear(string folder)
    {
        TokenWindows windows = Windows("evaluation.txt", 24);
        double torchs;
        using (CausalLanguageModel model = PretrainedModel.Load(folder))
        {
            torchs = Perplexity.Evaluate(model, windows).Perplexity;
        }

        double floats = Measure(folder, windows, ActivationPrecision.Float32), codes = Measure(folder, windows, ActivationPrecision.Int8);
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"torch {torchs:0.00000}, floats {floats:0.00000}, codes {codes:0.00000}"));
        Assert.InRange(floats / torchs, 0.999, 1.001);
        Assert.InRange(codes / torchs, 0.995, 1.005);
    }

    private static double Measure(string folder, TokenWindows windows, ActivationPrecision activations)
    {
        using InferenceModel model = InferenceModel.Load(folder, new InferenceOptions { Activations = activations });
        int done = 0;
        double sum = WindowLikelihood.Negative(
            model, windows.Ids, windows.Context, (count, _) => done = count, TestContext.Current.CancellationToken);
        Assert.Equal(windows.Count, done);
        return Math.Exp(sum / (windows.Count * (windows.Context - 1)));
    }
}
