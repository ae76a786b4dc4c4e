namespace SparseExpansion.Comparison.Serving;

/// <summary>The command line of a server: <c>NAME=PATH … [--OPTION VALUE]</c>.</summary>
/// <param name="Models">Paths of the models by name.</param>
/// <param name="Option">Value of the server's one option; null where it is left out.</param>
internal sealed record ServerArguments(IReadOnlyDictionary<string, string> Models, string? Option)
{
    /// <summary>Reads a command line.</summary>
    /// <param name="args">The words.</param>
    /// <param name="optionName">Name of the option, with its dashes.</param>
    /// <exception cref="FormatException">A word is neither a model nor the option, or there is no model.</exception>
    public static ServerArguments Parse(IReadOnlyList<string> args, string optionName)
    {
        var models = new Dictionary<string, string>(StringComparer.Ordinal);
        string? option = null;
        for (int i = 0; i < args.Count; i++)
        {
            if (args[i] == optionName)
            {
                option = ++i < args.Count
                    ? args[i]
                    : throw new FormatException($"{optionName} needs a value.");
            }
            else if (args[i].Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } path] || !models.TryAdd(name, path))
            {
                throw new FormatException(
                    $"'{args[i]}' is no model that is new: give NAME=PATH for each, and {optionName} VALUE.");
            }
        }

        return models.Count > 0
            ? new ServerArguments(models, option)
            : throw new FormatException($"There is no model: give NAME=PATH for each, and {optionName} VALUE.");
    }
}
