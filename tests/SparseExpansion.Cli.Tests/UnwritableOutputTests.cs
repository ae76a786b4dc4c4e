using SparseExpansion.Cli.Hosting;

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
        run.AssertRefused("--output /proc/expanded/model: cannot be written: no files can be created in /proc (");
        Assert.DoesNotContain("probe", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("(the system reports that it does not exist).", run.Error.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void Output_BelowAFile_NamesTheFile() =>
        _tiny.Command("expand").With("--output", Path.Combine(_tiny.Text, "model")).Run().AssertRefused("--output", $"cannot be created because {_tiny.Text} is a file");

    /// <summary>28 is ENOSPC there.</summary>
    [Fact]
    public void Of_ErrorOfTheSystem_LeavesTheNameOut()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Numbers of errors differ.");
        var missing = Assert.Throws<FileNotFoundException>(() => File.OpenRead(_tiny.Path("nothing")));
        Assert.DoesNotContain("nothing", SystemReason.Of(missing), StringComparison.Ordinal);
        Assert.Equal("No space left on device", SystemReason.Of(new IOException("No space left on device : '/secret'", 28)));
        Assert.Equal("permission denied", SystemReason.Of(new UnauthorizedAccessException("/secret")));
    }
}
