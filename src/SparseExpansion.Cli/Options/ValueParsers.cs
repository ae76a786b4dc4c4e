using System.CommandLine.Parsing;
using System.Globalization;
using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Cli.Options;

/// <summary>Parsers for option values; errors name the option, the value and the valid range.</summary>
internal static class ValueParsers
{
    public static Func<ArgumentResult, int> Integer(int least) => result =>
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least)
        {
            return value;
        }

        Fail(result, text, string.Create(CultureInfo.InvariantCulture, $"must be an integer of at least {least}"));
        return default;
    };

    public static Func<ArgumentResult, int?> OptionalInteger(int least)
    {
        Func<ArgumentResult, int> parse = Integer(least);
        return result => parse(result);
    }

    /// <summary>A finite number.</summary>
    /// <param name="isGood">Condition on the number.</param>
    /// <param name="range">The condition in words, after "must be a number".</param>
    public static Func<ArgumentResult, double> Number(Func<double, bool> isGood, string range) => result =>
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && isGood(value))
        {
            return value;
        }

        Fail(result, text, $"must be a number {range}");
        return default;
    };

    /// <summary>Parses a number in invariant culture.</summary>
    public static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    public static SparsityTarget? Sparsity(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        try
        {
            return SparsityTarget.Parse(text);
        }
        catch (Exception error) when (error is FormatException or ArgumentOutOfRangeException)
        {
            Fail(result, text, "must be a fraction in [0, 1) such as 0.5, or kept:group such as 2:4 with 1 <= kept <= group <= 128");
            return null;
        }
    }

    /// <summary>
    /// Sizes such as <c>8GiB</c>, <c>512 MB</c> or plain bytes; units of 1024 with and without the i.
    /// </summary>
    public static long? Bytes(ArgumentResult result)
    {
        string text = result.Tokens[0].Value.Trim();
        string number = text.TrimEnd("BbiKkMmGgTt ".ToCharArray());
        int power = "KMGT".IndexOf(text[number.Length..].Trim().ToUpperInvariant().FirstOrDefault('B')) + 1;
        bool unit = text[number.Length..].Trim().ToUpperInvariant() is "" or "B" or "K" or "KB" or "KIB" or "M" or "MB" or "MIB" or "G" or "GB" or "GIB" or "T" or "TB" or "TIB";
        if (unit && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 && value * Math.Pow(1024, power) is >= 1 and < long.MaxValue)
        {
            return (long)(value * Math.Pow(1024, power));
        }

        Fail(result, text, "must be a size such as 8GiB or 512MiB");
        return null;
    }

    private static void Fail(ArgumentResult result, string text, string reason) =>
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} '{text}': {reason}.");
}
