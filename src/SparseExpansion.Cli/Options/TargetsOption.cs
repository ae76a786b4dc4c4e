using System.CommandLine;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for the linear layers that a command works on.</summary>
internal sealed class TargetsOption(string verb)
{
    private readonly Option<string[]> _option = new("--targets")
    {
        Description = $"Linear layers to {verb}, by module path (see 'inspect'); * matches any characters. Repeat for several.",
        HelpName = "GLOB",
        DefaultValueFactory = _ => [LanguageModelExpansion.FeedForwardTargets],
        Arity = ArgumentArity.OneOrMore,
    };

    public void AddTo(Command command) => command.Add(_option);

    public string[] Read(ParseResult parsed) => parsed.GetValue(_option)!;

    /// <summary>Message for patterns that match nothing.</summary>
    /// <param name="unmatched">The patterns that match nothing, in quotes.</param>
    /// <param name="layers">Module paths of the model's linears.</param>
    public static string NoMatch(string unmatched, IReadOnlyList<string> layers)
    {
        const int shown = 8;
        string names = string.Join(", ", layers.Take(shown)) + (layers.Count > shown ? ", …" : "");
        return $"--targets {unmatched}: no linear layer matches; patterns must match whole paths, like '{LanguageModelExpansion.FeedForwardTargets}'. The model has {layers.Count}: {names}.";
    }
}
