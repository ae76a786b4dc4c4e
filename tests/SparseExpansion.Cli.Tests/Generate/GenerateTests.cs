using System.Text.Json;
namespace SparseExpansion.Cli.Generate;

public sealed class GenerateTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public void Prompt_IsContinued()
    {
        ToolRun run = _tiny.Command("generate").Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("line 7", run.Output, StringComparison.Ordinal);
        Assert.Equal(run, _tiny.Command("generate").Run());
    }

    [Fact]
    public void Engine_IsManaged_GivesTheSameText()
    {
        ToolRun managed = _tiny.Command("generate").With("--engine", "managed").Run();

        Assert.Equal(_tiny.Command("generate").Run(), managed);
    }

    [Theory]
    [InlineData("stored")]
    [InlineData("rearranged")]
    public void Codes_OfTheManagedEngine_ChangeNoText(string form)
    {
        ToolRun managed = _tiny.Command("generate").With("--engine", "managed").With("--codes", form).Run();

        Assert.Equal(_tiny.Command("generate").Run(), managed);
    }

    [Fact]
    public void Codes_WithoutTheManagedEngine_AreRefused()
    {
        ToolRun run = _tiny.Command("generate").With("--codes", "stored").Run();

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("--codes: is for --engine managed", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--dtype", "bfloat16")]
    [InlineData("--device", "cpu")]
    public void Engine_IsManaged_RefusesOptionsOfTorch(string option, string value)
    {
        ToolRun run = _tiny.Command("generate").With("--engine", "managed").With(option, value).Run();

        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{option}: is for --engine torch", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Seed_DecidesSampledTexts()
    {
        CommandLine line = _tiny.Command("generate").With("--temperature", "3").With("--max-tokens", "40");
        string[] texts = [.. Enumerable.Range(0, 5).Select(seed => line.With("--seed", $"{seed}").Run().Output)];
        Assert.True(texts.Distinct().Count() > 1);
        Assert.Equal(texts[0], line.With("--seed", "0").Run().Output);
    }

    [Theory]
    [InlineData("@home")]
    [InlineData("--help")]
    [InlineData("-x y")]
    [InlineData("[red]not markup[/]")]
    public void Prompt_LooksLikeSyntax_IsText(string prompt)
    {
        string[] arguments = [.. _tiny.Command("generate").Without("--prompt").Arguments(), $"--prompt={prompt}"];
        ToolRun run = ToolRun.Of(arguments);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith(prompt, run.Output, StringComparison.Ordinal);
    }

    /// <summary>The model's vocabulary is longer than the tokenizer's, and has a gap: hot sampling would soon hit either.</summary>
    [Fact]
    public void Temperature_VocabularyIsPadded_TakesKnownTokensOnly()
    {
        string path = Path.Combine(_tiny.Model, "tokenizer.json");
        var tokenizer = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!;
        var vocabulary = tokenizer["model"]!["vocab"]!.AsObject();
        foreach (string token in vocabulary.Where(entry => (int)entry.Value! is 40 or >= 60 and < 90 or > 100).Select(entry => entry.Key).ToArray())
        {
            vocabulary.Remove(token);
        }

        vocabulary.Remove("l");
        vocabulary["l"] = 70;
        File.WriteAllText(path, tokenizer.ToJsonString());
        ToolRun run = _tiny.Command("generate").With("--prompt", "l").With("--temperature", "1000").With("--max-tokens", "60").Run();
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public void MaxNewTokens_StandsForMaxTokens()
    {
        ToolRun run = _tiny.Command("generate").Without("--max-tokens").With("--max-new-tokens", "5").Run();
        Assert.Equal(_tiny.Command("generate").Run(), run);
        Assert.DoesNotContain("--max-new-tokens", ToolRun.Of("generate", "--help").Output, StringComparison.Ordinal);
        _tiny.Command("generate").With("--max-new-tokens", "5").Run().AssertRefused("--max-tokens", "--max-new-tokens", "not both");
    }

    [Fact]
    public void Overflow_Slide_GoesOnBeyondTheContext()
    {
        ToolRun run = _tiny.Command("generate").Without("--max-tokens").With("--max-tokens", "200").With("--overflow", "slide").With("--json").Run();
        Assert.Equal(0, run.ExitCode);
        using JsonDocument report = JsonDocument.Parse(run.Output);
        Assert.Equal(200, report.RootElement.GetProperty("newTokens").GetInt32());
    }

    [Fact]
    public void Verbose_TellsTheRatesOnStderr()
    {
        ToolRun run = _tiny.Command("generate").With("--verbose").Run();
        Assert.Equal(_tiny.Command("generate").Run().Output, run.Output);
        Assert.Matches("prefill: [0-9]+ tokens, [0-9.]+ tokens/s\\s+decode: [0-9]+ tokens, [0-9.]+ tokens/s", run.Error);
    }

    [Fact]
    public void MaxTokens_NotGiven_StaysInsideTheContext() =>
        Assert.Equal(0, _tiny.Command("generate").Without("--max-tokens").Run().ExitCode);
}
