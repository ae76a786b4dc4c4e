using System.CommandLine;
using SparseExpansion.Models;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for the linear layers that a command works on.</summary>
internal sealed class TargetsOption(string verb)
{
    private readonly Option<string[]> _option = new("--targets")
    {
        Description = $"Linear layers to {verb}, by module path (see 'inspect'); * matches any characters. Repeat for several. [default: those of the feed-forward networks]",
        HelpName = "GLOB",
        Arity = ArgumentArity.OneOrMore,
    };

    public void AddTo(Command command) => command.Add(_option);

    /// <summary>The patterns; none without the option.</summary>
    public string[] Read(ParseResult parsed) => parsed.GetValue(_option) ?? [];

    /// <summary>The patterns, or where there are none those of a model's feed-forward networks.</summary>
    public static string[] OrDefault(IReadOnlyList<string> patterns, ModelConfig config) =>
        [.. patterns.Count > 0 ? patterns : config.FeedForwardPatterns];

    /// <summary>Message for patterns that match nothing.</summary>
    /// <param name="unmatched">The patterns that match nothing, in quotes.</param>
    /// <param name="layers">Module paths of the model's linears.</param>
    public static string NoMatch(string unmatched, IReadOnlyList<string> layers)
    {
        const int shown = 8;
        string names = string.Join(", ", layers.Take(shown)) + (layers.Count > shown ? ", …" : "");
        return $"--targets {unmatched}: no linear layer matches; patterns must match whole paths, like '*.mlp.*'. The model has {layers.Count}: {names}.";
    }
}
