namespace SparseExpansion.Cli;

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

    [Fact]
    public void MaxTokens_NotGiven_StaysInsideTheContext() =>
        Assert.Equal(0, _tiny.Command("generate").Without("--max-tokens").Run().ExitCode);
}
