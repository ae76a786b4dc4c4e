using System.Text.Json;
using TorchSharp;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>
/// targets [--json] [--filter text]… [--seconds s] [--threads n] [--cpu-time]: the target table, measured. A cell is
/// measured if its name contains all texts. On a machine with other work, --threads 1 --cpu-time gives steady ratios.
/// </summary>
public static class TargetsCommand
{
    private static readonly JsonSerializerOptions JsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static int Run(string[] args)
    {
        bool json = args.Contains("--json");
        var filters = Values(args, "--filter").ToList();
        double seconds = Values(args, "--seconds")
            .Select(v => double.Parse(v, System.Globalization.CultureInfo.InvariantCulture))
            .FirstOrDefault(1.5);
        using var noGrad = torch.no_grad();
        torch.random.manual_seed(1);
        foreach (string threads in Values(args, "--threads"))
        {
            torch.set_num_threads(int.Parse(threads, System.Globalization.CultureInfo.InvariantCulture));
        }

        var timer = new InterleavedTimer(seconds, args.Contains("--cpu-time"));
        var rows = new List<TargetRow>();
        foreach (TargetRow row in TargetTable.Measure(name => filters.TrueForAll(f => name.Contains(f, StringComparison.Ordinal)), timer))
        {
            rows.Add(row);
            if (!json)
            {
                Console.WriteLine(FormattableString.Invariant(
                    $"{row.Case,-34} dense {row.DenseMs,9:F3} ms  sparse {row.SparseMs,9:F3} ms  ratio {row.Ratio,6:F2}  target {row.Target,5:F2}  {(row.Met ? "met" : "NOT MET")}"));
            }
        }

        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { Machine = Machine.Describe(), Rows = rows }, JsonOptions));
        }

        return 0;
    }

    /// <summary>The values of an option that may be given several times.</summary>
    internal static IEnumerable<string> Values(string[] args, string name) =>
        args.Zip(args.Skip(1)).Where(pair => pair.First == name).Select(pair => pair.Second);

    /// <summary>The value of an option that is an integer.</summary>
    internal static int Integer(string[] args, string name, int value) =>
        Values(args, name)
            .Select(text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture))
            .FirstOrDefault(value);
}
