using System.CommandLine;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>Type of the weights that are computed with.</summary>
internal sealed class DTypeOption
{
    private readonly Option<string?> _option = new("--dtype")
    {
        Description = "Type of the weights. bfloat16 takes half the memory; experts made of it take half the bytes too.",
        DefaultValueFactory = _ => "float32",
    };

    public DTypeOption() => Choice.AcceptOnly(_option, "float32", "bfloat16");

    public void AddTo(Command command) => command.Add(_option);

    public ScalarType Read(ParseResult parsed) => parsed.GetValue(_option) == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32;
}
