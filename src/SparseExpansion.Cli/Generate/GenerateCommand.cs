using System.CommandLine;
using System.Diagnostics;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Inference;
using SparseExpansion.Inference.Generation;
using SparseExpansion.Models;
using SparseExpansion.Models.Generation;
using SparseExpansion.Transformers;
using SparseExpansion.Transformers.Generation;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Generate;

/// <summary><c>generate</c>: continues a prompt.</summary>
internal sealed class GenerateCommand : Command
{
    private const int DefaultMaxTokens = 128;

    private readonly ToolHost _host;
    private readonly Option<string> _model = CommonOptions.Model();
    private readonly Option<string> _prompt = new("--prompt") { Description = "Text to continue.", HelpName = "TEXT", Required = true };
    private readonly Option<int?> _maxTokens = new("--max-tokens")
    {
        Description = $"Maximum number of tokens to generate. [default: {DefaultMaxTokens}, or the rest of the model's context]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(1),
    };

    /// <summary>Name of the same option in other programs.</summary>
    private readonly Option<int?> _maxNewTokens = new("--max-new-tokens") { Hidden = true, CustomParser = ValueParsers.OptionalInteger(1) };

    private readonly SamplingOptions _sampling = new();
    private readonly EngineOption _engine = new();
    private readonly Option<bool> _noMemoryMap = CommonOptions.NoMemoryMap();
    private readonly DeviceOption _device = new();
    private readonly DTypeOption _dtype = new();
    private readonly Option<bool> _verbose = new("--verbose")
    {
        Description = "Print how fast the prompt was read and the text was written, to stderr.",
    };

    private readonly Option<bool> _json = CommonOptions.Json();

    public GenerateCommand(ToolHost host)
        : base("generate", "Continue a prompt. Writes the prompt and its continuation to stdout.")
    {
        _host = host;
        Add(_model);
        Add(_prompt);
        Add(_maxTokens);
        Add(_maxNewTokens);
        _sampling.AddTo(this);
        _engine.AddTo(this);
        Add(_noMemoryMap);
        _device.AddTo(this);
        _dtype.AddTo(this);
        Add(_verbose);
        Add(_json);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        GenerationOptions sampling = _sampling.Read(parsed);
        Device device = _device.Read(parsed);
        ModelSource source = ModelSource.Open(parsed.GetRequiredValue(_model));
        TextTokenizer tokenizer = TextTokenizer.Load(source.Folder);
        string prompt = parsed.GetRequiredValue(_prompt);
        GenerationOptions options = sampling with { MaxNewTokens = MaxTokens(parsed, sampling.Overflow, tokenizer.Encode(prompt).Count, source.Config.MaxPositions) };
        if (_engine.IsManaged(parsed, "--device", "--dtype", "--no-memory-map"))
        {
            using InferenceModel managed = _engine.Load(parsed, source.Folder);
            Write(parsed, TextRun.Create(new ManagedSequences(managed), tokenizer, prompt, options), prompt, options.Seed);
        }
        else
        {
            using CausalLanguageModel model = source.Load(device, _dtype.Read(parsed), !parsed.GetValue(_noMemoryMap));
            Write(parsed, TextRun.Create(new ModelSequences(model), tokenizer, prompt, options), prompt, options.Seed);
        }

        return ExitCode.Success;
    }

    private void Write(ParseResult parsed, TextRun continuation, string prompt, int seed)
    {
        if (parsed.GetValue(_json))
        {
            WriteJson(continuation, prompt, seed);
        }
        else
        {
            WriteText(continuation, prompt);
            WriteRates(parsed, continuation);
        }
    }

    private void WriteText(TextRun continuation, string prompt)
    {
        _host.Output.Write(prompt);
        foreach (string piece in continuation.Pieces(_host.CancellationToken))
        {
            _host.Output.Write(piece);
            _host.Output.Flush();
        }

        _host.Output.WriteLine();
    }

    /// <summary>On stderr: stdout has the text alone.</summary>
    private void WriteRates(ParseResult parsed, TextRun continuation)
    {
        if (parsed.GetValue(_verbose))
        {
            _host.Error.WriteLine(FormattableString.Invariant(
                $"prefill: {continuation.PromptTokens} tokens, {continuation.PrefillRate:0.#} tokens/s"));
            _host.Error.WriteLine(FormattableString.Invariant(
                $"decode: {continuation.NewTokens} tokens, {continuation.DecodeRate:0.#} tokens/s"));
        }
    }

    private void WriteJson(TextRun continuation, string prompt, int seed)
    {
        long started = Stopwatch.GetTimestamp();
        string text = string.Concat(continuation.Pieces(_host.CancellationToken));
        JsonOutput.Write(_host, new GenerateReport(
            prompt, text, continuation.PromptTokens, continuation.NewTokens, continuation.Finish!.Value, seed, Stopwatch.GetElapsedTime(started).TotalSeconds,
            continuation.PrefillRate, continuation.DecodeRate));
    }

    private int MaxTokens(ParseResult parsed, ContextOverflow overflow, int promptTokens, int context)
    {
        int room = overflow == ContextOverflow.Slide ? int.MaxValue : context - promptTokens;
        if (promptTokens == 0 || room < 1)
        {
            throw new UsageException($"--prompt: has {promptTokens} tokens; the model accepts 1 to {context - 1}, or more with --overflow slide.");
        }

        if (parsed.GetResult(_maxTokens) is not null && parsed.GetResult(_maxNewTokens) is not null)
        {
            throw new UsageException("give --max-tokens or --max-new-tokens, not both.");
        }

        Option<int?> option = parsed.GetResult(_maxNewTokens) is null ? _maxTokens : _maxNewTokens;
        int? wanted = parsed.GetValue(option);
        return wanted > room
            ? throw new UsageException($"{option.Name} {wanted}: a prompt of {promptTokens} tokens leaves {room} of the model's context of {context}; lower it, or use --overflow slide.")
            : wanted ?? Math.Min(DefaultMaxTokens, room);
    }
}
