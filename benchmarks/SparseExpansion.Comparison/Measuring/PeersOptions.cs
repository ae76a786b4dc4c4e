using System.Globalization;

namespace SparseExpansion.Comparison.Measuring;

/// <summary>The command line of a comparison.</summary>
internal sealed record PeersOptions
{
    /// <summary>True to print a report as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Rounds of a slow cell where <see cref="Rounds"/> is null.</summary>
    public const int LeastRounds = 3;

    /// <summary>Rounds of a fast cell where <see cref="Rounds"/> is null.</summary>
    public const int MostRounds = 7;

    /// <summary>Rounds of every cell; null: from <see cref="LeastRounds"/> to <see cref="MostRounds"/>, as time allows.</summary>
    public int? Rounds { get; init; }

    /// <summary>Texts that the name of a row must contain, such as <c>int4</c> or <c>prefill</c>; all of them.</summary>
    public IReadOnlyList<string> Rows { get; init; } = [];

    /// <summary>Folder that keeps the models for the next run; null for one that is deleted.</summary>
    public string? Folder { get; init; }

    /// <summary>Engine on our side; null for the default.</summary>
    public string? Engine { get; init; }

    /// <summary>True for the rows that are measured.</summary>
    public bool Wants(string row) => Rows.All(text => row.Contains(text, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads <c>[--json] [--rounds N] [--rows TEXT]… [--folder DIR] [--engine NAME]</c>.</summary>
    /// <exception cref="FormatException">A word is unknown, a value missing or out of range, or no row is left.</exception>
    public static PeersOptions Parse(IReadOnlyList<string> args)
    {
        var options = new PeersOptions();
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            options = name switch
            {
                "--json" => options with { Json = true },
                "--rounds" => options with { Rounds = RoundsOf(Value()) },
                "--rows" => options with { Rows = [.. options.Rows, Value()] },
                "--folder" => options with { Folder = Value() },
                "--engine" => options with { Engine = Value() },
                _ => throw new FormatException(
                    $"'{name}' is unknown. Use [--json] [--rounds N] [--rows TEXT]… [--folder DIR] [--engine NAME]."),
            };

            string Value() => ++i < args.Count ? args[i] : throw new FormatException($"{name} needs a value.");
        }

        return PeerTable.Select(options.Wants).Count > 0
            ? options
            : throw new FormatException(
                $"No row contains {string.Join(" and ", options.Rows.Select(text => $"'{text}'"))}. Rows are named like "
                + $"'{PeerTable.Cases[0].RowName(PeerTest.All[0])}'.");
    }

    private static int RoundsOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) && rounds is > 0 and <= 1000
            ? rounds
            : throw new FormatException($"--rounds is '{text}'; give a number from 1 to 1000.");
}
