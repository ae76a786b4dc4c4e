using System.Diagnostics;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;

namespace SparseExpansion.Cli.Expand;

public sealed class ResumeTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    private string Output => _tiny.Path("resumed");

    private string Partial => Output + ".partial";

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("0")]
    [InlineData("3")]
    public void Expand_InterruptedAfterABlock_KeepsItAndGoesOn(string fineTune)
    {
        CommandLine Expand() => this.Expand().With("--fine-tune", fineTune);
        Assert.Equal(0, Expand().With("--output", _tiny.Path("whole")).Run().ExitCode);
        ToolRun interrupted = InterruptAfterTheFirstBlock(Expand());

        Assert.Equal(130, interrupted.ExitCode);
        Assert.Contains("1 finished block kept in", interrupted.Error, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Partial));
        Assert.False(Directory.Exists(Output));
        Expand().Run().AssertRefused("--resume", Partial);
        ToolRun changed = Expand().With("--resume").With("--seed", "5").Run();
        Assert.Equal(
            $"sparse-expand: --output {Output}: {Partial} holds blocks of another expansion: seed was '0', is '5'. Use the earlier value, or delete that folder to start over.",
            changed.Error.Trim());
        Assert.Equal(1, changed.ExitCode);

        ToolRun resumed = Expand().With("--resume").Run();

        Assert.Equal((0, ""), (resumed.ExitCode, resumed.Error));
        Assert.False(Directory.Exists(Partial));
        foreach (string file in new[] { "experts.safetensors", "model.safetensors", "expansion.json" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_tiny.Path("whole"), file)), File.ReadAllBytes(Path.Combine(Output, file)));
        }
    }

    [Fact]
    public void Expand_ResumeOfWhatIsComplete_SaysThatThereIsNothingToResume()
    {
        Assert.Equal(0, Expand().Run().ExitCode);
        Expand().With("--resume").Run().AssertRefused($"--output {Output}: is already complete; there is nothing to resume. Add --overwrite to replace it.");
        Directory.CreateDirectory(Partial);
        Expand().With("--resume").Run().AssertRefused("exists and is not empty");
        Assert.Equal(0, Expand().With("--resume").With("--overwrite").Run().ExitCode);
    }

    [Fact]
    public void Expand_WhileAnotherRunHasTheOutput_IsRefusedAndKeepsItsBlocks()
    {
        InterruptAfterTheFirstBlock(Expand());
        string[] files = Directory.GetFiles(Partial);
        using (FolderExpansionStore other = FolderExpansionStore.Open(Partial))
        {
            ToolRun run = Expand().Run();
            Assert.Equal(1, run.ExitCode);
            Assert.Contains("in use", run.Error, StringComparison.Ordinal);
        }

        Assert.Equal(files, Directory.GetFiles(Partial));
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public void Expand_ToTheEnd_LeavesOnlyTheOutput()
    {
        Directory.CreateDirectory($"{Output}.{Guid.NewGuid():N}.partial"); // Of a run that was killed while it saved.
        string[] before = _tiny.Entries();

        Assert.Equal(0, Expand().With("--resume").Run().ExitCode);

        Assert.Equal(["resumed"], _tiny.Entries().Except(before).Select(Path.GetFileName).Where(name => !name!.Contains('.', StringComparison.Ordinal)));
        Assert.Empty(Directory.EnumerateDirectories(Path.GetDirectoryName(Output)!, "*.partial"));
    }

    [Fact]
    public void Expand_OnAFullDisk_LeavesNoOutputAndNoHalfBlock()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits the size of files by the shell.");
        string tool = Path.Combine(AppContext.BaseDirectory, "SparseExpansion.Cli");
        string[] arguments = Expand().Arguments();

        // SIGXFSZ is ignored, so that writes fail as on a full disk. A block file is larger than 16 KiB, the journal is not.
        using Process child = Process.Start(new ProcessStartInfo("bash", ["-c", "trap '' XFSZ; ulimit -f 16; export DOTNET_EnableDiagnostics=0 DOTNET_EnableWriteXorExecute=0; exec \"$@\"", "bash", tool, .. arguments])
        { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string error = child.StandardError.ReadToEnd();
        child.WaitForExit();

        Assert.Equal(1, child.ExitCode);
        Assert.StartsWith("sparse-expand: ", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Output));
        Assert.False(Directory.Exists(Partial));
    }

    private CommandLine Expand() => _tiny.Command("expand").With("--output", Output);

    private ToolRun InterruptAfterTheFirstBlock(CommandLine expand)
    {
        using var source = new CancellationTokenSource();
        using var watcher = new Timer(_ =>
        {
            if (File.Exists(Path.Combine(Partial, "experts-00000.safetensors")) && File.ReadAllText(Path.Combine(Partial, "journal.json")).Contains("experts-00000", StringComparison.Ordinal))
            {
                source.Cancel();
            }
        });
        watcher.Change(0, 1);
        return ToolRun.Of(expand.Arguments(), source.Token);
    }
}
