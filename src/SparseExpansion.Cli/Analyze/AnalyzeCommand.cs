using System.CommandLine;
using SparseExpansion.Cli.Analyze.Measuring;
using SparseExpansion.Cli.Analyze.Report;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Cli.Output;
using SparseExpansion.Internal.Files;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Analyze;

/// <summary><c>analyze</c>: measures how entangled neurons are and what experts gain, and writes a report.</summary>
internal sealed class AnalyzeCommand : Command
{
    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model(
        "Folder of the dense model: a Hugging Face checkpoint.");
    private readonly Option<string> _output = new("--output")
    {
        Description = "Folder to create: report.html, results.json, neurons.csv, figures. It appears when it is complete.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<bool> _overwrite = CommonOptions.Overwrite(ReportFolder.Kind);
    private readonly TokenSourceOptions _source = new();
    private readonly AnalyzeOptions _options = new();
    private readonly DeviceOption _device = new();
    private readonly Option<bool> _json = CommonOptions.Json();

    public AnalyzeCommand(ToolHost host) : base(
        "analyze", "Measure how entangled neurons are and what experts gain, with figures. The first half of the tokens is for calibration, the second for measurements.")
    {
        _host = host;
        Add(_model);
        Add(_output);
        Add(_overwrite);
        _source.AddTo(this);
        _options.AddTo(this);
        _device.AddTo(this);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        _source.Check(parsed);
        Device device = _device.Read(parsed);
        ModelSource source = ModelSource.Open(parsed.GetRequiredValue(_model));
        if (source.IsExpanded)
        {
            throw new UsageException(
                $"--model {source.Folder}: is expanded; analyze the dense model it was made from.");
        }

        string output = parsed.GetRequiredValue(_output);
        bool overwrite = parsed.GetValue(_overwrite);
        OutputFolder.Check(output, overwrite, source.Folder, ReportFolder.Kind);
        AnalyzeSettings settings = _options.Read(parsed, source.Config);
        (TokenWindows calibration, TokenWindows measured) = Halve(_source.Read(parsed, source, _host.Input));
        AnalyzeReport report = ProgressBar.Run(
            _host, "loading",
            show => Analyze(source, settings, calibration, measured, device, output, overwrite, show));
        if (parsed.GetValue(_json))
        {
            JsonOutput.Write(_host, AnalyzeSummary.Of(report, output));
        }
        else
        {
            AnalyzeSummary.Print(_host.Text, report, output);
        }

        return ExitCode.Success;
    }

    private AnalyzeReport Analyze(
        ModelSource source, AnalyzeSettings settings, TokenWindows calibration, TokenWindows measured, Device device, string output, bool overwrite, ProgressHandler show)
    {
        using CausalLanguageModel model = source.Load(device);
        AnalyzeReport report = new ModelAnalysis(model, settings, show, _host.CancellationToken).Run(source.Folder, calibration, measured);
        show(1, "drawing");
        using AtomicFolder folder = AtomicFolder.Create(output, overwrite);
        ReportFolder.Write(report, folder.Path, _host);
        _host.CancellationToken.ThrowIfCancellationRequested();
        folder.Commit();
        return report;
    }

    /// <summary>Neighboring windows may share a document, hence one cut instead of alternation.</summary>
    private static (TokenWindows Calibration, TokenWindows Measured) Halve(TokenWindows windows)
    {
        int half = windows.Count / 2;
        return half > 0
            ? (windows.Take(half), TokenWindows.FromTokens([.. windows.Ids[(half * windows.Context)..].ToArray().Select(id => (int)id)], windows.Context))
            : throw new UsageException(
                "--text or --tokens give one window; an analysis needs two, one to calibrate and one to measure on.");
    }
}
