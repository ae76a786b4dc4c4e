using System.Diagnostics;

namespace SparseExpansion.MutationSampler;

/// <summary>The program of the tests, in a folder whose library is exchanged.</summary>
/// <param name="folder">Where it lies.</param>
/// <param name="project">The library that is exchanged.</param>
/// <param name="area">The folder of the tests that are run.</param>
internal sealed class TestProgram(string folder, string project, string area)
{
    // Starts this program for other instruction sets, which the tests of kernels try as well.
    private const string Excluded = "SparseExpansion.Execution.Kernels.InstructionPathTests";

    private readonly string _program = Path.Combine(folder, "SparseExpansion.Core.Tests");

    /// <summary>Puts a library in the place of the last one. A new file: the old one may be shared with the build's output.</summary>
    public void Install(byte[] library)
    {
        string file = Path.Combine(folder, $"SparseExpansion.{project}.dll");
        File.Delete(file);
        File.WriteAllBytes(file, library);
    }

    /// <summary>The classes with tests.</summary>
    public IReadOnlyList<string> Classes()
    {
        using Process process = Start(["-list", "classes", "-noLogo", "-noColor"], coverage: null);
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries);
        process.WaitForExit();
        return [.. lines.Where(line => line != Excluded && line.StartsWith($"SparseExpansion.{area}.", StringComparison.Ordinal))];
    }

    /// <summary>Runs classes of tests up to the first failure.</summary>
    /// <returns>How it ended; a crash is a failure as well.</returns>
    public Outcome Run(IEnumerable<string> classes, TimeSpan limit, string? coverage = null)
    {
        using Process process = Start(["-noLogo", "-noColor", "-stopOnFail", .. classes.SelectMany(name => new[] { "-class", name })], coverage);
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return Outcome.Timeout;
        }

        return process.ExitCode == 0 ? Outcome.Survived : Outcome.Killed;
    }

    private Process Start(IEnumerable<string> arguments, string? coverage)
    {
        var start = new ProcessStartInfo(_program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        if (coverage is not null)
        {
            start.Environment[CoverageMarker.Variable] = coverage;
        }

        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return Process.Start(start)!;
    }
}
