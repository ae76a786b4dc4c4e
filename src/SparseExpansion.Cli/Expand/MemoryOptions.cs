using System.CommandLine;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Expand;

/// <summary>Options for the memory of an expansion.</summary>
internal sealed class MemoryOptions
{
    private readonly Option<long?> _budget = new("--memory-budget")
    {
        Description = "Memory limit, such as 8GiB: weights and activations stay on disk, and experts are pruned a few at a time if they would not fit. [default: no limit]",
        HelpName = "SIZE",
        CustomParser = ValueParsers.Bytes,
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only estimate the memory and time of the expansion; exit code 1 if it does not fit." };

    public void AddTo(Command command)
    {
        command.Add(_budget);
        command.Add(_dryRun);
    }

    public bool HasBudget(ParseResult parsed) => parsed.GetValue(_budget) is not null;

    public bool IsDryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    /// <summary>The budget, with scratch files next to the output; null without one.</summary>
    public MemoryBudget? Read(ParseResult parsed, string output, Device device) => parsed.GetValue(_budget) is { } bytes
        ? new MemoryBudget { Bytes = bytes, WeightsAreMapped = device.type == DeviceType.CPU, ScratchFolder = NearestFolder(Path.GetFullPath(output)) }
        : null;

    private static string NearestFolder(string path) =>
        Directory.Exists(path) ? path : NearestFolder(Path.GetDirectoryName(path)!);
}
