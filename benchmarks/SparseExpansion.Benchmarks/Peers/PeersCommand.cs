using System.Reflection;
using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Comparison.Measuring;

namespace SparseExpansion.Benchmarks.Peers;

/// <summary>
/// peers [--json] [--rounds n] [--rows text]… [--folder dir] [--engine name]: our models against llama.cpp, each in a
/// process of its own, asked in turn.
/// </summary>
internal static class PeersCommand
{
    public static int Run(string[] args)
    {
        PeersOptions options;
        try
        {
            options = PeersOptions.Parse(args);
        }
        catch (FormatException error)
        {
            Console.Error.WriteLine($"peers: {error.Message}");
            return 1;
        }

        string peer = typeof(Program).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "PeerProgram").Value!;
        var programs = new ServerPrograms(typeof(Program).Assembly.Location, Path.GetFullPath(peer), options.Engine);
        Action<string> log = options.Json ? _ => { } : Console.WriteLine;
        PeerReport report = new PeersRun(options, programs, log).Run(Machine.Describe());
        Console.WriteLine(options.Json ? report.ToJson() : $"{report.Seconds:F0} seconds");
        return report.Failures.Count == 0 ? 0 : 1;
    }
}
