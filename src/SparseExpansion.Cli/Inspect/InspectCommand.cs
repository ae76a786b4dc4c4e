using System.CommandLine;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;

namespace SparseExpansion.Cli.Inspect;

/// <summary><c>inspect</c>: shows the contents of a model's folder.</summary>
internal sealed class InspectCommand : Command
{
    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model();
    private readonly Option<bool> _json = CommonOptions.Json();

    public InspectCommand(ToolHost host)
        : base("inspect", "Show a model's architecture, its linear layers and their experts.")
    {
        _host = host;
        Add(_model);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        ModelSource source = ModelSource.Open(parsed.GetRequiredValue(_model));
        ModelSummary summary = ModelInspector.Inspect(source, _host.CancellationToken);
        if (parsed.GetValue(_json))
        {
            JsonOutput.Write(_host, summary);
        }
        else
        {
            ModelSummaryText.Print(_host.Text, summary);
        }

        return ExitCode.Success;
    }
}
