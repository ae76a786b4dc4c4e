using System.Text.Json;
using SparseExpansion.Models;
using SparseExpansion.Testing;
using SparseExpansion.Transformers.Generation;

namespace SparseExpansion.Transformers;

public sealed class TextGeneratorTests
{
    private static readonly int[] Prompt = [5, 9, 2];

    [Fact]
    public void Generate_TinyStoriesGreedy_GivesTheReferenceContinuation()
    {
        string? folder = SharedData.TryFind("tinystories-656k");
        Assert.SkipWhen(folder is null, SharedData.Missing);
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        int[] prompt = Ids(reference, "prompt_ids");
        int[] expected = Ids(reference, "greedy_ids");
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        var options = new GenerationOptions { MaxNewTokens = expected.Length - prompt.Length };

        Assert.Equal(expected[prompt.Length..], Generate(model, prompt, options));
        TextTokenizer tokenizer = TextTokenizer.Load(folder);
        string text = string.Concat(TextGenerator.GenerateText(model, tokenizer, "Once upon a time", options, TestContext.Current.CancellationToken));
        Assert.Equal(
            reference.RootElement.GetProperty("greedy_text").GetString(), "<|start_story|> Once upon a time" + text);
    }

    [Theory]
    [InlineData(Fixture.Llama)]
    [InlineData(Fixture.NeoXParallel)]
    public void Generate_Greedy_EqualsRecomputationWithoutCache(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int[] generated = [.. Generate(model, Prompt, new GenerationOptions { MaxNewTokens = 20, EosIds = [] })];

        Assert.Equal(PlainModel.Continue(model, Prompt, 20), generated);
    }

    [Fact]
    public void Generate_EndToken_StopsBeforeIt()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        int[] all = [.. Generate(model, Prompt, new GenerationOptions { MaxNewTokens = 10, EosIds = [] })];
        int end = all[5];
        int[] stopped = [.. Generate(model, Prompt, new GenerationOptions { MaxNewTokens = 10, EosIds = [end] })];
        Assert.Equal(all.TakeWhile(id => id != end), stopped);
    }

    [Fact]
    public void GenerateText_EndTokenOfTheTokenizerAlone_EndsTheText()
    {
        using var folder = new TemporaryFolder();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        int[] all = [.. Generate(model, Prompt, new GenerationOptions { MaxNewTokens = 10, EosIds = [] })];
        int end = all[5];
        string vocabulary = string.Join(',', Enumerable.Range(0, model.Config.VocabularySize).Where(id => id != end).Select(id => $"\"{Name(id)}\":{id}"));
        File.WriteAllText(
            folder.File("tokenizer.json"),
            $$$"""{"model":{"type":"BPE","merges":[],"vocab":{{{{vocabulary}}}}},"decoder":{"type":"Fuse"}}""");
        File.WriteAllText(folder.File("added_tokens.json"), $$"""{"<|im_end|>":{{end}}}""");
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"eos_token":"<|im_end|>"}""");
        TextTokenizer tokenizer = TextTokenizer.Load(folder.Path);

        string text = string.Concat(TextGenerator.GenerateText(
            model, tokenizer, string.Concat(Prompt.Select(Name)), new GenerationOptions { MaxNewTokens = 10 }, TestContext.Current.CancellationToken));

        Assert.Equal(end, tokenizer.EosId);
        Assert.DoesNotContain(end, model.Config.EosIds);
        Assert.Equal(
            string.Concat(all.TakeWhile(id => id != end && !model.Config.EosIds.Contains(id)).Select(Name)), text);

        static string Name(int id) => ((char)(0x4E00 + id)).ToString();
    }

    [Fact]
    public void Generate_SameSeed_GivesTheSameTokens()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        var options = new GenerationOptions { MaxNewTokens = 30, Temperature = 2, EosIds = [], Seed = 3 };
        int[] one = [.. Generate(model, Prompt, options)];
        Assert.Equal(one, Generate(model, Prompt, options));
        Assert.NotEqual(one, Generate(model, Prompt, options with { Seed = 4 }));
    }

    [Fact]
    public void Generate_BadInput_Throws()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        Assert.Throws<ArgumentException>(() => Generate(model, []));
        Assert.Throws<ArgumentException>(() => Generate(model, [101]));
        Assert.Throws<ArgumentException>(() => Generate(model, Prompt, new GenerationOptions { MaxNewTokens = 254 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Generate(model, Prompt, new GenerationOptions { MaxNewTokens = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Generate(model, Prompt, new GenerationOptions { Temperature = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Generate(model, Prompt, new GenerationOptions { TopK = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Generate(model, Prompt, new GenerationOptions { TopP = 0 }));
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(
            () => TextGenerator.Generate(model, Prompt, cancellationToken: source.Token).First());
    }

    [Fact]
    public void Generate_StoppedEarly_LeavesNoTensors()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        LeakCheck.NoTensorsLeft(
            () => Assert.Equal(3, Generate(model, Prompt, new GenerationOptions { EosIds = [] }).Take(3).Count()));
    }

    private static IEnumerable<int> Generate(
        CausalLanguageModel model, int[] prompt, GenerationOptions? options = null) =>
        TextGenerator.Generate(model, prompt, options, TestContext.Current.CancellationToken);

    private static int[] Ids(JsonDocument reference, string key) =>
        [.. reference.RootElement.GetProperty(key).EnumerateArray().Select(id => id.GetInt32())];
}
