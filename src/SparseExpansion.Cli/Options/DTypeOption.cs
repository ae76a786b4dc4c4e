using System.CommandLine;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for the data type of the weights.</summary>
internal sealed class DTypeOption
{
    private readonly Option<string?> _option = new("--dtype")
    {
        Description = "Data type of the weights. bfloat16 halves the memory, and the size of the experts.",
        DefaultValueFactory = _ => "float32",
    };

    public DTypeOption() => Choice.AcceptOnly(_option, "float32", "bfloat16");

    public void AddTo(Command command) => command.Add(_option);

    public ScalarType Read(ParseResult parsed) =>
        parsed.GetValue(_option) == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32;
}
