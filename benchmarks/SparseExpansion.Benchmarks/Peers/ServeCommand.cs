using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Comparison.Serving;

namespace SparseExpansion.Benchmarks.Peers;

/// <summary>serve NAME=FOLDER … [--engine managed|torch]: our side of the comparison, asked on standard input.</summary>
internal sealed class ServeCommand() : ServerProgram("--engine")
{
    private const string Torch = "torch";
    private const string Managed = "managed";

    protected override IServedModel Load(string path, string? option) => (option ?? Managed) switch
    {
        Torch => new TorchModel(path),
        Managed => new ManagedModel(path),
        _ => throw new FormatException($"There is no engine '{option}'; use {Torch} or {Managed}."),
    };

    protected override string Describe() => Machine.Describe();
}
