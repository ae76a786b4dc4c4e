using System.Diagnostics;

namespace SparseExpansion.Cli;

/// <summary>A disk that is full while a model is written, played by a limit on the size of files.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public async Task Expand_DiskFull_SaysSoAndLeavesNothing(int kilobytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits the size of files by a shell.");
        string[] entries = _tiny.Entries();
        string program = Path.Combine(AppContext.BaseDirectory, "SparseExpansion.Cli");
        string[] arguments = _tiny.Command("expand").Arguments();
        // Ignored, the signal becomes an error of the write. A diagnostics pipe and JIT mappings count as files too.
        string script = $"ulimit -f {2 * kilobytes}; trap '' XFSZ; exec \"$0\" \"$@\"";
        var start = new ProcessStartInfo("sh", ["-c", script, program, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        using Process child = Process.Start(start)!;
        string error = await child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, child.ExitCode);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains("cannot be written", error, StringComparison.Ordinal);
        Assert.Equal(entries, _tiny.Entries());
    }
}
