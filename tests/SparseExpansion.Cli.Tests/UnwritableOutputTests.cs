namespace SparseExpansion.Cli;

public sealed class UnwritableOutputTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    /// <summary>Nobody, root included, makes files there.</summary>
    [Theory]
    [InlineData("expand")]
    [InlineData("analyze")]
    public void Output_CannotBeMade_NamesFolderAndReasonOnly(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs a folder that takes no files.");
        CommandLine line = _tiny.Command(command).With("--tokens", _tiny.Tokens).With("--output", "/proc/expanded/model");
        ToolRun run = line.Run();
        run.AssertRefused("--output /proc/expanded/model: cannot be written: nothing can be made in /proc (");
        Assert.DoesNotContain("probe", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Success", run.Error, StringComparison.Ordinal);
        Assert.Matches(@"\([A-Za-z][a-z ]+\)\.\s*\z", run.Error);
    }

    [Fact]
    public void Output_BelowAFile_NamesTheFile() =>
        _tiny.Command("expand").With("--output", Path.Combine(_tiny.Text, "model")).Run().AssertRefused("--output", $"cannot be made, for {_tiny.Text} is a file");

    [Fact]
    public void Of_ErrorOfTheSystem_LeavesTheNameOut()
    {
        var missing = Assert.Throws<FileNotFoundException>(() => File.OpenRead(_tiny.Path("nothing")));
        Assert.DoesNotContain("nothing", SystemReason.Of(missing), StringComparison.Ordinal);
        Assert.Equal("access is denied", SystemReason.Of(new UnauthorizedAccessException("/secret")));
    }
}
