using SparseExpansion.Models;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Generation;

/// <summary>Scalings of positions that look at the length of the text.</summary>
public sealed class RotaryScalingTests
{
    private const int Original = 12;

    private static readonly RotaryOptions s_longRope = new()
    {
        Dimensions = 8,
        Scaling = RotaryScaling.LongRope,
        Factor = 4,
        OriginalContext = Original,
        ShortFactors = [1, 1.1, 1.2, 1.3],
        LongFactors = [2, 5, 9, 14],
        AttentionFactor = 1.2,
    };

    private static readonly RotaryOptions s_dynamic = new()
    {
        Dimensions = 8,
        Scaling = RotaryScaling.Dynamic,
        Factor = 4,
        OriginalContext = Original,
    };

    [Fact]
    public void Generate_LongRopeBeyondTheOriginalContext_EqualsAPlainLoop()
    {
        using CausalLanguageModel model = PlainModel.Make(s_longRope);
        foreach (int length in new[] { 1, 5, Original - 1, Original, Original + 1, 20 })
        {
            int[] prompt = PlainModel.Prompt(model, length, seed: length);
            AssertPlain(model, prompt, [.. Tokens(model, prompt, 30)]);
        }
    }

    [Fact]
    public void GenerateBatch_LongRopeRowsOfDifferentLengths_EqualsAPlainLoopForEach()
    {
        using CausalLanguageModel model = PlainModel.Make(s_longRope);
        int[][] prompts = [.. new[] { 3, 20, 10, Original }.Select(length => PlainModel.Prompt(model, length, length))];

        IReadOnlyList<GeneratedSequence> together = TextGenerator.GenerateBatch(
            model, prompts, new GenerationOptions { EosIds = [], MaxNewTokens = 25 }, TestContext.Current.CancellationToken);

        Assert.All(prompts.Zip(together), pair => AssertPlain(model, pair.First, pair.Second.Tokens));
    }

    /// <summary>The test of the tests: keys of the short context in a long one give other logits.</summary>
    [Fact]
    public void Forward_LongRopeCacheOfTheShortContext_GivesOtherLogits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PlainModel.Make(s_longRope);
        Tensor ids = tensor(PlainModel.Prompt(model, Original + 1, 1).Select(id => (long)id).ToArray()).unsqueeze(0);
        using KeyValueCache cache = model.CreateCache();
        model.forward(ids.narrow(1, 0, Original), cache);

        Tensor stale = model.forward(ids.narrow(1, Original, 1), cache);

        Assert.True((stale - model.call(ids).narrow(1, Original, 1)).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public void Forward_DynamicScaling_IsThatOfTheBaseOfTheLength()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PlainModel.Make(s_dynamic);
        foreach (int length in new[] { 5, 40, Original, 23, Original + 1, 40, 5 })
        {
            // Base of NTK scaling: θ · (f · L / L₀ − (f − 1))^(d / (d − 2)).
            double ratio = Math.Max(length, Original) / (double)Original;
            double theta = 10000 * Math.Pow((4 * ratio) - 3, 8.0 / 6);
            using CausalLanguageModel plain = PlainModel.Make(new RotaryOptions { Dimensions = 8, Theta = theta });
            Tensor ids = tensor(PlainModel.Prompt(model, length, 2).Select(id => (long)id).ToArray()).unsqueeze(0);

            Assert.True(model.call(ids).allclose(plain.call(ids), rtol: 1e-4, atol: 1e-4));
        }
    }

    [Fact]
    public void Forward_DynamicScalingAndPadding_GivesEachRowTheFrequenciesOfItsOwnLength()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PlainModel.Make(s_dynamic);
        int[] lengths = [30, 18, 7, 1];
        int[][] rows = [.. lengths.Select(length => PlainModel.Prompt(model, length, length))];
        int[] padding = [.. lengths.Select(length => 30 - length)];
        long[] ids = [.. rows.Zip(padding).SelectMany(row => Enumerable.Repeat(0L, row.Second).Concat(row.First.Select(id => (long)id)))];
        using KeyValueCache cache = model.CreateCache(padding);

        Tensor logits = model.forward(tensor(ids).view(lengths.Length, 30), cache);

        for (int row = 0; row < lengths.Length; row++)
        {
            Assert.True(logits[row, 29].allclose(tensor(PlainModel.LastLogits(model, rows[row])), rtol: 1e-4, atol: 1e-4));
        }
    }

    private static IEnumerable<GeneratedToken> Tokens(CausalLanguageModel model, int[] prompt, int count) =>
        TextGenerator.GenerateTokens(
            model, prompt, new GenerationOptions { EosIds = [], MaxNewTokens = count }, TestContext.Current.CancellationToken);

    private static void AssertPlain(CausalLanguageModel model, int[] prompt, IReadOnlyList<GeneratedToken> tokens)
    {
        List<int> text = [.. prompt];
        foreach (GeneratedToken token in tokens)
        {
            double[] expected = PlainModel.LogProbabilities(model, text);
            Assert.Equal(Array.IndexOf(expected, expected.Max()), token.Id);
            Assert.Equal(expected[token.Id], token.LogProbability, 1e-4);
            text.Add(token.Id);
        }

        Assert.True(text.Count > Original);
    }
}
