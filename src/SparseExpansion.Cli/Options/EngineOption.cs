using System.CommandLine;
using SparseExpansion.Cli.Hosting;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for what computes the model.</summary>
internal sealed class EngineOption
{
    private const string Torch = "torch";
    private const string Managed = "managed";

    private readonly Option<string?> _option = new("--engine")
    {
        Description = "What computes the model: libtorch, or managed code that multiplies codes of a few bits as they are (CPU alone).",
        DefaultValueFactory = _ => Torch,
    };

    public EngineOption() => Choice.AcceptOnly(_option, Torch, Managed);

    public void AddTo(Command command) => command.Add(_option);

    /// <summary>True for the managed engine.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="others">Options that are for libtorch.</param>
    /// <exception cref="UsageException">One of them is given, too.</exception>
    public bool IsManaged(ParseResult parsed, params ReadOnlySpan<string> others)
    {
        if (parsed.GetValue(_option) != Managed)
        {
            return false;
        }

        foreach (string name in others)
        {
            if (parsed.GetResult(name) is System.CommandLine.Parsing.OptionResult { Implicit: false })
            {
                throw new UsageException(
                    $"{name}: is for --engine {Torch}; the managed engine maps the folder and runs it on the CPU as it is. Leave it out.");
            }
        }

        return true;
    }
}
