using System.Diagnostics;
using System.Globalization;

namespace SparseExpansion.Comparison.Serving;

/// <summary>A server in a process of its own. What it writes to standard error is seen by the user.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly string _name;

    private ServerProcess(Process process, string name) => (_process, _name) = (process, name);

    /// <summary>Starts a server and waits for its models.</summary>
    /// <param name="assembly">Its program, a .dll.</param>
    /// <param name="arguments">Its command line.</param>
    /// <exception cref="InvalidOperationException">It did not start.</exception>
    public static ServerProcess Start(string assembly, IEnumerable<string> arguments)
    {
        if (!File.Exists(assembly))
        {
            throw new InvalidOperationException($"There is no {assembly}: build the solution in the same configuration.");
        }

        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var server = new ServerProcess(Process.Start(start)!, string.Join(' ', arguments));
        try
        {
            string line = server.ReadLine();
            return line == ServerLoop.Ready
                ? server
                : throw new InvalidOperationException($"The server '{server._name}' did not start: {line}");
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>The number that answers a request.</summary>
    /// <exception cref="InvalidOperationException">The server failed, or answered no number.</exception>
    public double Number(ServerRequest request) =>
        double.TryParse(Text(request), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw new InvalidOperationException($"The server '{_name}' did not answer '{request}' by a number.");

    /// <summary>The line that answers a request.</summary>
    /// <exception cref="InvalidOperationException">The server failed.</exception>
    public string Text(ServerRequest request)
    {
        try
        {
            _process.StandardInput.WriteLine(request);
            _process.StandardInput.Flush();
        }
        catch (IOException error)
        {
            throw new InvalidOperationException($"The server '{_name}' has ended; its standard error says why.", error);
        }

        string answer = ReadLine();
        return answer.StartsWith(ServerLoop.ErrorPrefix, StringComparison.Ordinal)
            ? throw new InvalidOperationException($"The server '{_name}' answered '{request}': {answer}")
            : answer;
    }

    /// <summary>Ends the process.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.BaseStream.Close(); // No more requests: it ends by itself.
            if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit();
            }
        }

        _process.Dispose();
    }

    private string ReadLine()
    {
        using var timeout = new CancellationTokenSource(s_patience);
        try
        {
            return _process.StandardOutput.ReadLineAsync(timeout.Token).AsTask().GetAwaiter().GetResult()
                ?? throw new InvalidOperationException($"The server '{_name}' has ended; its standard error says why.");
        }
        catch (OperationCanceledException error)
        {
            throw new InvalidOperationException($"The server '{_name}' has said nothing for {s_patience}.", error);
        }
    }
}
