using System.CommandLine;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Inference;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for what computes the model.</summary>
internal sealed class EngineOption
{
    private const string Torch = "torch";
    private const string Managed = "managed";
    private const string Auto = "auto";
    private const string Stored = "stored";
    private const string Rearranged = "rearranged";

    private readonly Option<string?> _option = new("--engine")
    {
        Description = "What computes the model: libtorch, or managed code that multiplies codes of a few bits as they are (CPU alone).",
        DefaultValueFactory = _ => Torch,
    };

    private readonly Option<string?> _codes = new("--codes")
    {
        Description = "Form of weights in codes in the managed engine: as they lie in the file, which takes the least memory, or "
            + "rearranged for speed; auto rearranges what is faster so, if memory allows it.",
        DefaultValueFactory = _ => Auto,
    };

    public EngineOption()
    {
        Choice.AcceptOnly(_option, Torch, Managed);
        Choice.AcceptOnly(_codes, Auto, Stored, Rearranged);
    }

    public void AddTo(Command command)
    {
        command.Add(_option);
        command.Add(_codes);
    }

    /// <summary>Loads a folder in the managed engine.</summary>
    public InferenceModel Load(ParseResult parsed, string folder) => InferenceModel.Load(folder, Inference(parsed));

    /// <summary>The options of the managed engine.</summary>
    public InferenceOptions Inference(ParseResult parsed) => new()
    {
        Codes = parsed.GetValue(_codes) switch
        {
            Stored => CodeForm.Stored,
            Rearranged => CodeForm.Rearranged,
            _ => CodeForm.Auto,
        },
    };

    /// <summary>True for the managed engine.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="others">Options that are for libtorch.</param>
    /// <exception cref="UsageException">One of them is given, too, or an option of the managed engine without it.</exception>
    public bool IsManaged(ParseResult parsed, params ReadOnlySpan<string> others)
    {
        if (parsed.GetValue(_option) != Managed)
        {
            return parsed.GetResult(_codes) is { Implicit: false }
                ? throw new UsageException($"{_codes.Name}: is for --engine {Managed}. Add it, or leave {_codes.Name} out.")
                : false;
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
