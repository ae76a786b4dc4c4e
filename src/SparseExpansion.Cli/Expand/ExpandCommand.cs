using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Cli.Output;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Expand;

/// <summary><c>expand</c>: turns a dense model into a mixture of sparse experts and writes it to a folder.</summary>
internal sealed class ExpandCommand : Command
{
    private static readonly JsonSerializerOptions s_planJson = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model(
        "Folder of the dense model: a Hugging Face checkpoint.");
    private readonly Option<string> _output = CommonOptions.Output();
    private readonly Option<bool> _overwrite = CommonOptions.Overwrite(OutputKind.ExpandedModel);
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Continue with the finished blocks in OUTPUT.partial of an earlier run with the same options; start from the beginning if there are none.",
    };

    private readonly ExpertFormatOption _format = new(standard: "packed");
    private readonly TokenSourceOptions _source = new();
    private readonly MethodOptions _method = new();
    private readonly ExpertOptions _experts = new();
    private readonly DenseOptions _dense = new();
    private readonly MemoryOptions _memory = new();
    private readonly DeviceOption _device = new();
    private readonly DTypeOption _dtype = new();
    private readonly Option<bool> _json = CommonOptions.Json();

    public ExpandCommand(ToolHost host)
        : base("expand", "Turn a model's linear layers into mixtures of sparse experts.")
    {
        _host = host;
        Add(_model);
        Add(_output);
        Add(_overwrite);
        Add(_resume);
        _format.AddTo(this);
        _source.AddTo(this);
        _method.AddTo(this);
        _experts.AddTo(this);
        _dense.AddTo(this);
        _memory.AddTo(this);
        _device.AddTo(this);
        _dtype.AddTo(this);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        _source.Check(parsed);
        Method method = _method.Read(parsed);
        _experts.Check(parsed, method.Sparsity);
        _dense.Check(parsed);
        Device device = _device.Read(parsed);
        ModelSource source = ModelSource.Open(parsed.GetRequiredValue(_model));
        if (source.IsExpanded)
        {
            throw new UsageException(
                $"--model {source.Folder}: is already expanded; expand the dense model it was made from.");
        }

        CheckTogether(parsed, method);
        string output = parsed.GetRequiredValue(_output);
        bool overwrite = parsed.GetValue(_overwrite);
        OutputFolder.Check(output, overwrite, source.Folder, OutputKind.ExpandedModel, parsed.GetValue(_resume));
        TokenWindows windows = _source.Read(parsed, source, _host.Input);
        MemoryBudget? budget = _memory.Read(parsed, output, device);
        if (_memory.IsDryRun(parsed))
        {
            return PrintPlan(parsed, source, device, windows, method, output, budget);
        }

        using PartialWork partial = PartialWork.Open(output, parsed.GetValue(_resume), _host.Error);
        ExpansionReport report = Guarded(parsed, partial, () => ProgressBar.Run(_host, "loading", show =>
        {
            using CausalLanguageModel model = budget is null
                ? source.Load(device, _dtype.Read(parsed))
                : source.LoadMapped(device, _dtype.Read(parsed), budget.ScratchFolder);
            using ExpansionResult result = Expand(parsed, model, windows, method, partial, budget, show);
            show(1, "saving");
            partial.RemoveLeftovers();
            Save(result, source, output, overwrite, _format.Read(parsed));
            return result.Report;
        }));
        partial.Complete();
        if (parsed.GetValue(_json))
        {
            ExpandReport.WriteJson(_host, report, output, PeakBytes());
        }
        else
        {
            ExpandReport.Print(_host.Text, report, output, PeakBytes());
        }

        return ExitCode.Success;
    }

    /// <summary>Translates errors of the library into messages about options.</summary>
    private T Guarded<T>(ParseResult parsed, PartialWork? partial, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SparseExpansionException error)
            when ((partial?.Foreign(parsed.GetRequiredValue(_output), error) ?? OptionMessage.Of(error)) is { } message)
        {
            throw new UsageException(message);
        }
    }

    /// <summary>Refuses conflicting options before anything is loaded.</summary>
    private void CheckTogether(ParseResult parsed, Method method)
    {
        bool fineTunes = _experts.FineTunes(parsed, method.Recipe), hasBudget = _memory.HasBudget(parsed);
        if (fineTunes && hasBudget)
        {
            throw new UsageException("--memory-budget cannot be combined with fine-tuning, which keeps a block with its gradients in memory; turn it off with --fine-tune 0.");
        }

        if (fineTunes && method.Bits is not null)
        {
            throw new UsageException("--bits cannot be combined with fine-tuning, which would move the weights off their grid; turn it off with --fine-tune 0.");
        }

        if (hasBudget && _experts.AllocatesExperts(parsed))
        {
            throw new UsageException("--allocation experts cannot be combined with --memory-budget: it needs the statistics of all experts at once.");
        }
    }

    private ExpansionResult Expand(
        ParseResult parsed, CausalLanguageModel model, TokenWindows windows, Method method, PartialWork partial, MemoryBudget? budget, ProgressHandler show) =>
        Prepare(parsed, model, windows, method, budget, builder => builder.ResumeFrom(partial.Store)
            .Run(new ExpandProgress(show), _host.CancellationToken));

    /// <summary><c>--dry-run</c>: prints the memory and time that the expansion would take.</summary>
    private int PrintPlan(
        ParseResult parsed, ModelSource source, Device device, TokenWindows windows, Method method, string output,
        MemoryBudget? budget)
    {
        using FolderExpansionStore store = PartialFolder.Open(output);
        using CausalLanguageModel model = source.CreateUnset(device, _dtype.Read(parsed)); // A plan needs no weights.
        ExpansionMemoryPlan plan = Prepare(
            parsed, model, windows, method, budget,
            builder => Guarded(parsed, partial: null, () => builder.ResumeFrom(store).PlanMemory()));
        if (parsed.GetValue(_json))
        {
            JsonOutput.Write(_host, JsonSerializer.SerializeToNode(plan, s_planJson)!.AsObject());
        }
        else
        {
            MemoryPlanText.Print(_host.Text, plan);
        }

        return plan.Fits ? ExitCode.Success : ExitCode.Failure;
    }

    private T Prepare<T>(
        ParseResult parsed, CausalLanguageModel model, TokenWindows windows, Method method, MemoryBudget? budget, Func<ExpansionBuilder<CausalLanguageModel>, T> use)
    {
        var batches = new List<Tensor>();
        try
        {
            batches.AddRange(windows.Batches(BatchSize.For(windows.Context), model.Device));
            ExpansionBuilder<CausalLanguageModel> builder = model.Expand()
                .Blocks(m => m.Blocks)
                .Targets(TargetsOption.OrDefault(method.Targets, model.Config))
                .WithRecipe(_experts.Reduce(parsed, method.Recipe), method.Sparsity)
                .RouteWith(method.Router)
                .PruneWith(method.Pruner, method.Sparsity)
                .CalibrateOn(batches);
            _experts.Apply(parsed, method, builder);
            _dense.Apply(parsed, builder);
            return use(budget is null ? builder : builder.WithMemory(budget));
        }
        finally
        {
            batches.ForEach(batch => batch.Dispose());
        }
    }

    /// <summary>An interruption deletes files that are being written.</summary>
    private void Save(ExpansionResult result, ModelSource source, string output, bool overwrite, ExpertFormat format)
    {
        result.Save(output, overwrite, AddFiles, format);

        void AddFiles(string unfinished)
        {
            ModelFolder.CopySideFiles(source.Folder, unfinished);
            _host.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static long PeakBytes()
    {
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
