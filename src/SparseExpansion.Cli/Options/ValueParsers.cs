using System.CommandLine.Parsing;
using System.Globalization;
using SparseExpansion.Pruning;

namespace SparseExpansion.Cli;

/// <summary>Read option values; errors name the option, the value and what would be right.</summary>
internal static class ValueParsers
{
    public static Func<ArgumentResult, int> Integer(int least) => result =>
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least)
        {
            return value;
        }

        Fail(result, text, string.Create(CultureInfo.InvariantCulture, $"it must be an integer of at least {least}"));
        return default;
    };

    public static Func<ArgumentResult, int?> OptionalInteger(int least)
    {
        Func<ArgumentResult, int> parse = Integer(least);
        return result => parse(result);
    }

    public static double NonNegativeNumber(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && value >= 0)
        {
            return value;
        }

        Fail(result, text, "it must be a number of at least 0");
        return default;
    }

    public static SparsityTarget? Sparsity(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        try
        {
            return SparsityTarget.Parse(text);
        }
        catch (Exception error) when (error is FormatException or ArgumentOutOfRangeException)
        {
            Fail(result, text, "it must be a share in [0, 1) such as 0.5, or kept:group such as 2:4 with 1 <= kept <= group <= 128");
            return null;
        }
    }

    private static void Fail(ArgumentResult result, string text, string reason) =>
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} '{text}': {reason}.");
}
