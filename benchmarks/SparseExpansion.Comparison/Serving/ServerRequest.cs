using System.Globalization;

namespace SparseExpansion.Comparison.Serving;

/// <summary>A line that a server reads: <c>decode MODEL 64</c>, <c>prefill MODEL 512</c>, <c>memory</c>, <c>info</c>,
/// <c>quit</c>.</summary>
/// <param name="Verb">What is asked for.</param>
/// <param name="Model">Name of the model; empty where none is needed.</param>
/// <param name="Tokens">Number of tokens; 0 where none is needed.</param>
internal sealed record ServerRequest(ServerVerb Verb, string Model = "", int Tokens = 0)
{
    /// <summary>Largest number of tokens that servers have room for, prompt included.</summary>
    public const int Context = 1024;

    /// <exception cref="FormatException">The line is none of those above.</exception>
    public static ServerRequest Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            ["decode", var model, var tokens] => new ServerRequest(ServerVerb.Decode, model, Count(tokens)),
            ["prefill", var model, var tokens] => new ServerRequest(ServerVerb.Prefill, model, Count(tokens)),
            ["memory"] => new ServerRequest(ServerVerb.Memory),
            ["info"] => new ServerRequest(ServerVerb.Info),
            ["quit"] => new ServerRequest(ServerVerb.Quit),
            _ => throw new FormatException(
                $"'{line}' is no request. Ask for 'decode MODEL TOKENS', 'prefill MODEL TOKENS', 'memory', 'info' or 'quit'."),
        };
    }

    public override string ToString()
    {
        string verb = Verb.ToString().ToLowerInvariant();
        return Tokens == 0 ? verb : string.Create(CultureInfo.InvariantCulture, $"{verb} {Model} {Tokens}");
    }

    private static int Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= Context / 2
            ? count
            : throw new FormatException($"'{text}' is no number of tokens from 1 to {Context / 2}.");
}
