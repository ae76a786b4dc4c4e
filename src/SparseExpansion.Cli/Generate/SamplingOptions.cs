using System.CommandLine;
using SparseExpansion.Models;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>How the next token is chosen, and what ends the text.</summary>
internal sealed class SamplingOptions
{
    private readonly Option<double> _temperature = new("--temperature")
    {
        Description = "0 takes the most probable token; larger values give more surprising texts.",
        HelpName = "T",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Number(value => value >= 0, "of at least 0"),
    };

    private readonly Option<int> _topK = new("--top-k")
    {
        Description = "Sample among the K most probable tokens only; 0: among all.",
        HelpName = "K",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };

    private readonly Option<double> _topP = new("--top-p")
    {
        Description = "Sample among the fewest most probable tokens whose probabilities reach P only; 1: among all.",
        HelpName = "P",
        DefaultValueFactory = _ => 1,
        CustomParser = ValueParsers.Number(value => value is > 0 and <= 1, "larger than 0 and at most 1"),
    };

    private readonly Option<double> _minP = new("--min-p")
    {
        Description = "Sample only among tokens that are at least P times as probable as the most probable one; 0: among all.",
        HelpName = "P",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Number(value => value is >= 0 and <= 1, "of at least 0 and at most 1"),
    };

    private readonly Option<double> _repetitionPenalty = new("--repetition-penalty")
    {
        Description = "Makes tokens that prompt or new text hold already less probable, if larger than 1.",
        HelpName = "R",
        DefaultValueFactory = _ => 1,
        CustomParser = ValueParsers.Number(value => value > 0, "larger than 0"),
    };

    private readonly Option<string[]> _stop = new("--stop")
    {
        Description = "Text that ends the generation and is not put out. Repeat it for several.",
        HelpName = "TEXT",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<int> _seed = CommonOptions.Seed();

    public void AddTo(Command command)
    {
        command.Add(_temperature);
        command.Add(_topK);
        command.Add(_topP);
        command.Add(_minP);
        command.Add(_repetitionPenalty);
        command.Add(_stop);
        command.Add(_seed);
    }

    /// <exception cref="UsageException">Options do not go together.</exception>
    public GenerationOptions Read(ParseResult parsed)
    {
        double temperature = parsed.GetValue(_temperature);
        Option[] limits = [_topK, _topP, _minP];
        if (temperature == 0 && limits.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } idle)
        {
            throw new UsageException($"{idle.Name} has no meaning with --temperature 0, which takes the most probable token; add --temperature 1, for example.");
        }

        string[] stops = parsed.GetValue(_stop) ?? [];
        return new GenerationOptions
        {
            Temperature = temperature,
            TopK = parsed.GetValue(_topK) is > 0 and int k ? k : null,
            TopP = parsed.GetValue(_topP),
            MinP = parsed.GetValue(_minP),
            RepetitionPenalty = parsed.GetValue(_repetitionPenalty),
            StopStrings = stops.Contains("") ? throw new UsageException("--stop '': an empty text would end every generation at once.") : stops,
            Seed = parsed.GetValue(_seed),
        };
    }
}
