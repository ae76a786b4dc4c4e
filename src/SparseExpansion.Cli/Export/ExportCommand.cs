using System.CommandLine;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Cli.Output;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;

namespace SparseExpansion.Cli.Export;

/// <summary><c>export</c>: converts the experts of an expanded model to another format.</summary>
internal sealed class ExportCommand : Command
{
    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model(
        "Folder of the expanded model, as written by 'expand'.");
    private readonly Option<string> _output = CommonOptions.Output();
    private readonly Option<bool> _overwrite = CommonOptions.Overwrite(OutputKind.ExpandedModel);
    private readonly ExpertFormatOption _format = new(standard: null);
    private readonly Option<bool> _json = CommonOptions.Json();

    public ExportCommand(ToolHost host)
        : base("export", "Convert the experts of an expanded model to another format. Values stay the same.")
    {
        _host = host;
        Add(_model);
        Add(_output);
        Add(_overwrite);
        _format.AddTo(this);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        string model = parsed.GetRequiredValue(_model);
        if (!Directory.Exists(model))
        {
            throw new UsageException($"--model {model}: there is no such folder.");
        }

        if (!ExpandedModel.IsExpanded(model))
        {
            throw new UsageException($"--model {model}: is not expanded; it has no experts.");
        }

        string output = parsed.GetRequiredValue(_output);
        bool overwrite = parsed.GetValue(_overwrite);
        OutputFolder.Check(output, overwrite, model, OutputKind.ExpandedModel);
        _host.CancellationToken.ThrowIfCancellationRequested();
        ExpertFormat format = _format.Read(parsed);
        ExpandedModel.Convert(model, output, format, overwrite);
        if (parsed.GetValue(_json))
        {
            JsonOutput.Write(
                _host, new ExportReport(format.ToString().ToLowerInvariant(), Bytes(model), Bytes(output), output));
        }
        else
        {
            _host.Text.WriteLine($"saved to {output}");
        }

        return ExitCode.Success;
    }

    private static long Bytes(string folder) => new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length);
}
