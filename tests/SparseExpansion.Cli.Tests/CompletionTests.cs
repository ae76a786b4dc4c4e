using System.Diagnostics;
using SparseExpansion.Testing;

namespace SparseExpansion.Cli;

/// <summary>Completions for shells.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("sparse-expand e", "evaluate expand export")]
    [InlineData("sparse-expand expand --re", "--recipe --refine-router --refit --resume")]
    [InlineData("sparse-expand expand --recipe ", "best fast published")]
    [InlineData("sparse-expand expand --bits ", "2 3 4 8")]
    [InlineData("sparse-expand expand --dense-", "--dense-bits --dense-quant-group")]
    [InlineData("sparse-expand evaluate --device c", "cpu cuda")]
    [InlineData("sparse-expand generate --to", "--top-k --top-p")]
    public void Suggest_BeginningOfALine_ListsWhatFits(string line, string expected)
    {
        ToolRun run = ToolRun.Of($"[suggest:{line.Length}]", line);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        // The parser also lists what has the word inside of it; shells leave that out.
        string word = line.Split(' ')[^1];
        Assert.Equal(expected.Split(' '), Lines(run.Output).Where(name => name.StartsWith(word, StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    /// <summary>The function of the documentation, run by bash with the built tool in the place of the installed one.</summary>
    [Fact]
    public async Task Bash_FunctionOfTheDocumentation_Completes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs bash.");
        string page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "command-line.md"), TestContext.Current.CancellationToken);
        string function = page.Split("```bash\n# ~/.bashrc\n")[1].Split("```")[0];
        string script = $$"""
            sparse-expand() { "{{Path.Combine(AppContext.BaseDirectory, "SparseExpansion.Cli")}}" "$@"; }
            {{function}}
            COMP_LINE='sparse-expand expand --recipe b' COMP_POINT=31 COMP_WORDS=(sparse-expand expand --recipe b) COMP_CWORD=3
            _sparse_expand
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", error);
        Assert.Equal(["best"], Lines(output));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
