using System.CommandLine;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for the storage of experts.</summary>
internal sealed class ExpertFormatOption
{
    private static readonly Dictionary<string, ExpertFormat> s_formats = new() { ["packed"] = ExpertFormat.Packed, ["dense"] = ExpertFormat.Dense };

    private readonly Option<string?> _format;

    public ExpertFormatOption(string? standard)
    {
        _format = new("--format")
        {
            Description = "Storage of experts: packed (non-zero weights only), or dense (plain tensors with zeros, for other programs).",
            Required = standard is null,
        };
        Choice.AcceptOnly(_format, s_formats.Keys);
        if (standard is not null)
        {
            _format.DefaultValueFactory = _ => standard;
        }
    }

    public void AddTo(Command command) => command.Add(_format);

    public ExpertFormat Read(ParseResult parsed) => s_formats[parsed.GetRequiredValue(_format)!];
}
