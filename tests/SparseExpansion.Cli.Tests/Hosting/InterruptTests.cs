using System.Diagnostics;

namespace SparseExpansion.Cli.Hosting;

public sealed class InterruptTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("evaluate")]
    [InlineData("expand")]
    [InlineData("generate")]
    [InlineData("inspect")]
    public void Canceled_BeforeTheWork_Gives130(string command)
    {
        string[] entries = _tiny.Entries();
        ToolRun run = ToolRun.Of(_tiny.Command(command).Arguments(), new CancellationToken(canceled: true));
        Assert.Equal((130, "sparse-expand: interrupted."), (run.ExitCode, run.Error.Trim()));
        Assert.Equal(entries, _tiny.Entries());
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Signal_InAChildProcess_Gives130AndLeavesNothing(string signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Sends a POSIX signal.");
        string pipe = _tiny.Path("pipe");
        await Shell("mkfifo", pipe);
        string[] entries = _tiny.Entries();
        string[] arguments = _tiny.Command("expand").Without("--tokens").With("--text", pipe).Arguments();
        string program = Path.Combine(AppContext.BaseDirectory, "SparseExpansion.Cli");

        // A test run in the background of a shell hands its children an ignored SIGINT.
        ProcessStartInfo start = OperatingSystem.IsLinux() ? new("env", [$"--default-signal={signal}", program, .. arguments]) : new(program, arguments);
        start.RedirectStandardError = start.RedirectStandardOutput = true;
        using Process child = Process.Start(start)!;

        // Opening the pipe succeeds when the tool reads from it: by then it listens for signals. It goes on when the text ends.
        await using (var text = new FileStream(pipe, FileMode.Open, FileAccess.Write))
        {
            await Shell("kill", $"-{signal}", $"{child.Id}");
            await text.WriteAsync(await File.ReadAllBytesAsync(_tiny.Text));
        }

        string error = await child.StandardError.ReadToEndAsync();
        await child.WaitForExitAsync();
        Assert.Equal((130, "sparse-expand: interrupted."), (child.ExitCode, error.Trim()));
        Assert.Equal(entries, _tiny.Entries());
    }

    private static async Task Shell(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
