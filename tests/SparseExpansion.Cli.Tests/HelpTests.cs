namespace SparseExpansion.Cli;

public sealed class HelpTests
{
    [Theory]
    [InlineData("--help", "expand evaluate generate export inspect --version")]
    [InlineData("-h", "expand evaluate generate export inspect --version")]
    [InlineData("", "expand evaluate generate export inspect --version")]
    [InlineData("evaluate --help", "--model --text --tokens --context --max-windows --no-memory-map --device --json")]
    [InlineData("expand --help", "--model --output --overwrite --resume --format --text --tokens --context --max-windows --sparsity --recipe --experts --router --pca-reduction --pruner --targets --seed --shrink --min-tokens --refine-router --compensate --fine-tune --allocation --memory-budget --dry-run --device --json")]
    [InlineData("generate --help", "--model --prompt --max-tokens --temperature --top-k --top-p --min-p --repetition-penalty --stop --seed --no-memory-map --device --json")]
    [InlineData("export --help", "--model --output --overwrite --format --json")]
    [InlineData("inspect --help", "--model --json")]
    [InlineData("analyze --help", "--model --output --overwrite --text --tokens --context --max-windows --targets --experts --sparsity --seed --device --json")]
    public void Help_Asked_ListsCommandsOrOptions(string arguments, string names)
    {
        ToolRun run = ToolRun.Of(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All(names.Split(' '), name => Assert.Contains($"  {name}", run.Output.Replace("-?, -h, ", "", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    [Fact]
    public void Version_Asked_IsOneLineOfNumbers()
    {
        ToolRun run = ToolRun.Of("--version");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"\A\d+\.\d+\.\d+\S*\s*\z", run.Output);
    }
}
