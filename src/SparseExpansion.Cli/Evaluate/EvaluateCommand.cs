using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Inference;
using SparseExpansion.Inference.Evaluation;
using SparseExpansion.Internal;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Evaluate;

/// <summary><c>evaluate</c>: measures perplexity.</summary>
internal sealed class EvaluateCommand : Command
{
    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model();
    private readonly TokenSourceOptions _source = new();
    private readonly EngineOption _engine = new();
    private readonly Option<bool> _noMemoryMap = CommonOptions.NoMemoryMap();
    private readonly DeviceOption _device = new();
    private readonly DTypeOption _dtype = new();
    private readonly Option<bool> _json = CommonOptions.Json();

    public EvaluateCommand(ToolHost host)
        : base("evaluate", "Measure the perplexity of a model, dense or expanded, on a text.")
    {
        _host = host;
        Add(_model);
        _source.AddTo(this);
        _engine.AddTo(this);
        Add(_noMemoryMap);
        _device.AddTo(this);
        _dtype.AddTo(this);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        _source.Check(parsed);
        Device device = _device.Read(parsed);
        ModelSource source = ModelSource.Open(parsed.GetRequiredValue(_model));
        TokenWindows windows = _source.Read(parsed, source, _host.Input);
        bool isManaged = _engine.IsManaged(parsed, "--device", "--dtype", "--no-memory-map");
        EvaluateReport report = ProgressBar.Run(_host, "loading", report =>
        {
            if (isManaged)
            {
                using InferenceModel managed = _engine.Load(parsed, source.Folder);
                return Measure(managed, windows, report);
            }

            using CausalLanguageModel model = source.Load(device, _dtype.Read(parsed), !parsed.GetValue(_noMemoryMap));
            return Measure(model, windows, report);
        });
        if (parsed.GetValue(_json))
        {
            JsonOutput.Write(_host, report);
        }
        else
        {
            Print(report);
        }

        return ExitCode.Success;
    }

    private EvaluateReport Measure(CausalLanguageModel model, TokenWindows windows, ProgressHandler report)
    {
        long started = Stopwatch.GetTimestamp();
        PerplexityResult result = Perplexity.Evaluate(
            model,
            windows,
            new PerplexityOptions { BatchSize = BatchSize.For(windows.Context) },
            new ActionProgress<PerplexityProgress>(step => Report(report, step)),
            _host.CancellationToken);
        return new EvaluateReport(
            result.Perplexity, result.NllPerToken, result.PredictedTokens, result.Windows, result.Context, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private EvaluateReport Measure(InferenceModel model, TokenWindows windows, ProgressHandler report)
    {
        TokenWindows.RequireFit(windows, model.Config);
        long started = Stopwatch.GetTimestamp(), predictions = windows.Context - 1;
        double sum = WindowLikelihood.Negative(
            model, windows.Ids, windows.Context,
            (done, nats) => Report(report, new PerplexityProgress(done, windows.Count, Math.Exp(nats / (done * predictions)))),
            _host.CancellationToken);
        predictions *= windows.Count;
        return new EvaluateReport(
            Math.Exp(sum / predictions), sum / predictions, predictions, windows.Count, windows.Context, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static void Report(ProgressHandler report, PerplexityProgress step) => report(
        (double)step.Windows / step.TotalWindows,
        new ProgressText(
            string.Create(
                CultureInfo.InvariantCulture,
                $"window {step.Windows} of {step.TotalWindows}, perplexity {step.Perplexity:0.000}"),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{step.Windows}/{step.TotalWindows}, perplexity {step.Perplexity:0.00}")));

    private void Print(EvaluateReport report)
    {
        _host.Text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"perplexity {report.Perplexity:0.0000} ({report.NllPerToken:0.00000} nats per token)"));
        _host.Text.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.PredictedTokens} predictions in {report.Windows} windows of {report.Context} tokens, {report.Seconds:0.0} s"));
    }
}
