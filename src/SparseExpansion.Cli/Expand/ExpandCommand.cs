using System.CommandLine;
using System.Diagnostics;
using SparseExpansion.Expansion;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary><c>expand</c>: turns a dense model into a mixture of sparse experts and writes it to a folder.</summary>
internal sealed class ExpandCommand : Command
{
    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model("Folder of the dense model: a Hugging Face checkpoint.");
    private readonly Option<string> _output = new("--output")
    {
        Description = "Folder to make; it appears when it is complete.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace an expanded model in the output folder." };
    private readonly TokenSourceOptions _source = new();
    private readonly MethodOptions _method = new();
    private readonly DeviceOption _device = new();
    private readonly Option<bool> _json = CommonOptions.Json();

    public ExpandCommand(ToolHost host) : base("expand", "Turn a model's linear layers into routed mixtures of pruned experts.")
    {
        _host = host;
        Add(_model);
        Add(_output);
        Add(_overwrite);
        _source.AddTo(this);
        _method.AddTo(this);
        _device.AddTo(this);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        _source.Check(parsed);
        Method method = _method.Read(parsed);
        Device device = _device.Read(parsed);
        ModelSource source = ModelSource.Open(parsed.GetRequiredValue(_model));
        if (source.IsExpanded)
        {
            throw new UsageException($"--model {source.Folder}: is expanded already; expand the dense model that it was made from.");
        }

        string output = parsed.GetRequiredValue(_output);
        bool overwrite = parsed.GetValue(_overwrite);
        OutputFolder.Check(output, overwrite, source.Folder);
        TokenWindows windows = _source.Read(parsed, source);
        ExpansionReport report = ProgressBar.Run(_host, "loading", show =>
        {
            using CausalLanguageModel model = source.Load(device);
            using ExpansionResult result = Expand(model, windows, method, show);
            show(1, "saving");
            Save(result, source, output, overwrite);
            return result.Report;
        });
        if (parsed.GetValue(_json))
        {
            ExpandReport.WriteJson(_host, report, output, PeakBytes());
        }
        else
        {
            ExpandReport.Print(_host.Output, report, output, PeakBytes());
        }

        return ExitCode.Success;
    }

    private ExpansionResult Expand(CausalLanguageModel model, TokenWindows windows, Method method, Action<double, string> show)
    {
        var batches = new List<Tensor>();
        try
        {
            batches.AddRange(windows.Batches(BatchSize.For(windows.Context), model.Device));
            return model.Expand()
                .Blocks(m => m.Blocks)
                .Targets(method.Targets)
                .RouteWith(method.Router)
                .PruneWith(method.Pruner, method.Sparsity)
                .CalibrateOn(batches)
                .WithSeed(method.Seed)
                .Run(new InlineProgress<ExpansionProgress>(step => show(step.Fraction, Describe(step))), _host.CancellationToken);
        }
        finally
        {
            batches.ForEach(batch => batch.Dispose());
        }
    }

    /// <summary>An interruption while files are written removes them again.</summary>
    private void Save(ExpansionResult result, ModelSource source, string output, bool overwrite) => result.Save(output, overwrite, unfinished =>
    {
        ModelFolder.CopySideFiles(source.Folder, unfinished);
        _host.CancellationToken.ThrowIfCancellationRequested();
    });

    private static string Describe(ExpansionProgress step)
    {
        string block = $"block {step.Block + 1} of {step.BlockCount}: {step.Stage.ToString().ToLowerInvariant()}";
        return step.Layer is null ? block : $"{block}, {step.Layer}";
    }

    private static long PeakBytes()
    {
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
