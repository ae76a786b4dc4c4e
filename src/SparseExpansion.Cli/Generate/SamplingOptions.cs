using System.CommandLine;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Generate;

/// <summary>Options for choosing the next token and ending the text.</summary>
internal sealed class SamplingOptions
{
    private const string Refuse = "error";
    private const string Slide = "slide";

    private readonly Option<double> _temperature = new("--temperature")
    {
        Description = "0 takes the most probable token; larger values give more varied texts.",
        HelpName = "T",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Number(value => value >= 0, "of at least 0"),
    };

    private readonly Option<int> _topK = new("--top-k")
    {
        Description = "Sample only among the K most probable tokens; 0 for all.",
        HelpName = "K",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };

    private readonly Option<double> _topP = new("--top-p")
    {
        Description = "Sample only among the fewest most probable tokens whose probabilities add up to P; 1 for all.",
        HelpName = "P",
        DefaultValueFactory = _ => 1,
        CustomParser = ValueParsers.Number(value => value is > 0 and <= 1, "greater than 0 and at most 1"),
    };

    private readonly Option<double> _minP = new("--min-p")
    {
        Description = "Sample only among tokens at least P times as probable as the most probable one; 0 for all.",
        HelpName = "P",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Number(value => value is >= 0 and <= 1, "of at least 0 and at most 1"),
    };

    private readonly Option<double> _repetitionPenalty = new("--repetition-penalty")
    {
        Description = "Make tokens that occur in the prompt or the new text less probable, if greater than 1.",
        HelpName = "R",
        DefaultValueFactory = _ => 1,
        CustomParser = ValueParsers.Number(value => value > 0, "greater than 0"),
    };

    private readonly Option<string[]> _stop = new("--stop")
    {
        Description = "Text that ends the generation and is not printed. Repeat for several.",
        HelpName = "TEXT",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _overflow = new("--overflow")
    {
        Description = "Text that is longer than the model's context: 'error' refuses it before the model runs, 'slide' drops the oldest tokens.",
        DefaultValueFactory = _ => Refuse,
    };

    private readonly Option<int> _seed = CommonOptions.Seed();

    public SamplingOptions() => Choice.AcceptOnly(_overflow, Refuse, Slide);

    public void AddTo(Command command)
    {
        command.Add(_temperature);
        command.Add(_topK);
        command.Add(_topP);
        command.Add(_minP);
        command.Add(_repetitionPenalty);
        command.Add(_stop);
        command.Add(_overflow);
        command.Add(_seed);
    }

    /// <exception cref="UsageException">Options conflict.</exception>
    public GenerationOptions Read(ParseResult parsed)
    {
        double temperature = parsed.GetValue(_temperature);
        Option[] limits = [_topK, _topP, _minP];
        if (temperature == 0 && limits.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } idle)
        {
            throw new UsageException($"{idle.Name} has no effect with --temperature 0, which takes the most probable token; add --temperature 1, for example.");
        }

        string[] stops = parsed.GetValue(_stop) ?? [];
        return new GenerationOptions
        {
            Temperature = temperature,
            TopK = parsed.GetValue(_topK) is > 0 and int k ? k : null,
            TopP = parsed.GetValue(_topP),
            MinP = parsed.GetValue(_minP),
            RepetitionPenalty = parsed.GetValue(_repetitionPenalty),
            StopStrings = stops.Contains("")
                ? throw new UsageException("--stop '': an empty text would end every generation immediately.")
                : stops,
            Overflow = parsed.GetValue(_overflow) == Slide ? ContextOverflow.Slide : ContextOverflow.Error,
            Seed = parsed.GetValue(_seed),
        };
    }
}
