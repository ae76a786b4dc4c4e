using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Benchmarks.Peers;

/// <summary>serve NAME=FOLDER … [--engine torch]: our side of the comparison, asked on standard input.</summary>
internal sealed class ServeCommand() : ServerProgram("--engine")
{
    private const string Torch = "torch";

    protected override IServedModel Load(string path, string? option) => (option ?? Torch) switch
    {
        Torch => new TorchModel(path),
        _ => throw new FormatException($"There is no engine '{option}'; use {Torch}."),
    };

    protected override string Describe() => Machine.Describe();
}
