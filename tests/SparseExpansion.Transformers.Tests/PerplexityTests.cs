using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

public sealed class PerplexityTests
{
    [Fact]
    public void Evaluate_TinyStories_GivesTheReferencePerplexity()
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        TokenWindows windows = TokenWindows.FromSafetensors(Path.Combine(folder, "tokens.safetensors"), "evaluation");

        PerplexityResult result = Evaluate(model, windows, new PerplexityOptions { BatchSize = 16 });

        Assert.Equal(30.655, result.Perplexity, 0.01);
        Assert.Equal((128 * 255, 128, 256), (result.PredictedTokens, result.Windows, result.Context));
    }

    [Fact]
    public void Evaluate_SmallModel_EqualsTheObviousSum()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        TokenWindows windows = TokenWindows.FromTokens([.. Enumerable.Range(0, 50).Select(i => i * 7 % 101)], 10);
        double sum = 0;
        foreach (Tensor batch in windows.Batches(1))
        {
            Tensor probabilities = model.call(batch).to(float64).softmax(-1);
            for (int i = 1; i < 10; i++)
            {
                sum -= Math.Log(probabilities[0, i - 1, batch[0, i].item<long>()].item<double>());
            }
        }

        var seen = new List<PerplexityProgress>();
        PerplexityResult result = Evaluate(model, windows, new PerplexityOptions { BatchSize = 2 }, new Recorder(seen));

        Assert.Equal(sum / 45, result.NllPerToken, 1e-6);
        Assert.Equal(Math.Exp(result.NllPerToken), result.Perplexity, 1e-9);
        Assert.Equal([2, 4, 5], seen.Select(step => step.Windows));
        Assert.Equal(result.Perplexity, seen[^1].Perplexity, 1e-12);
    }

    [Fact]
    public void Evaluate_ALambdaForProgress_IsCalledInOrderOnThisThread()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        TokenWindows windows = TokenWindows.FromTokens([.. Enumerable.Range(0, 50)], 10);
        var seen = new List<(int Thread, int Windows)>();

        PerplexityResult result = Perplexity.Evaluate(
            model, windows, step => seen.Add((Environment.CurrentManagedThreadId, step.Windows)),
            new PerplexityOptions { BatchSize = 2 }, TestContext.Current.CancellationToken);

        int here = Environment.CurrentManagedThreadId;
        Assert.Equal([(here, 2), (here, 4), (here, 5)], seen);
        Assert.Equal(result, Perplexity.Evaluate(model, windows, null, null, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Evaluate_WindowsThatDoNotFit_Throws()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        Assert.Throws<ArgumentException>(() => Evaluate(model, TokenWindows.FromTokens([1, 101], 2)));
        Assert.Throws<ArgumentException>(() => Evaluate(model, TokenWindows.FromTokens([1, -1], 2)));
        Assert.Throws<ArgumentException>(() => Evaluate(model, TokenWindows.FromTokens(new int[300], 300)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Evaluate(
            model, TokenWindows.FromTokens([1, 2], 2), new PerplexityOptions { BatchSize = 0 }));
    }

    [Fact]
    public void Evaluate_BrokenModel_SaysSo()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        using (no_grad())
        {
            model.get_parameter("model.norm.weight")!.fill_(Scalars.Of(double.NaN));
        }

        Assert.Contains("window 0", Assert.Throws<SparseExpansionException>(
            () => Evaluate(model, TokenWindows.FromTokens([1, 2, 3, 4], 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_Canceled_StopsAndLeavesNoTensors()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        TokenWindows windows = TokenWindows.FromTokens([1, 2, 3, 4], 2);
        using var source = new CancellationTokenSource();
        source.Cancel();
        LeakCheck.NoTensorsLeft(() => Assert.Throws<OperationCanceledException>(
            () => Perplexity.Evaluate(model, windows, cancellationToken: source.Token)));
        LeakCheck.NoTensorsLeft(() => Evaluate(model, windows));
    }

    private static PerplexityResult Evaluate(
        CausalLanguageModel model, TokenWindows windows, PerplexityOptions? options = null,
        IProgress<PerplexityProgress>? progress = null) =>
        Perplexity.Evaluate(model, windows, options, progress, TestContext.Current.CancellationToken);

    private sealed class Recorder(List<PerplexityProgress> seen) : IProgress<PerplexityProgress>
    {
        public void Report(PerplexityProgress value) => seen.Add(value);
    }
}
