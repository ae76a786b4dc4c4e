using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Cli.Options;
using SparseExpansion.Models;

namespace SparseExpansion.Cli.Analyze;

/// <summary>Options for the layers to analyze and the measurements.</summary>
internal sealed class AnalyzeOptions
{
    private const string DefaultExperts = "1,2,4,8,16";

    private static readonly int[] s_defaultExperts =
        [.. DefaultExperts.Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture))];

    private readonly TargetsOption _targets = new("analyze");

    private readonly Option<int[]?> _experts = new("--experts")
    {
        Description = $"Numbers of experts to compare; 1 is always included. [default: {DefaultExperts}]",
        HelpName = "N,N",
        CustomParser = ParseExperts,
    };

    private readonly Option<double> _sparsity = new("--sparsity")
    {
        Description = "Fraction of weights to remove from experts and from ablated neurons.",
        HelpName = "S",
        DefaultValueFactory = _ => 0.9,
        CustomParser = ParseSparsity,
    };

    private readonly Option<int> _seed = CommonOptions.Seed();

    public void AddTo(Command command)
    {
        _targets.AddTo(command);
        command.Add(_experts);
        command.Add(_sparsity);
        command.Add(_seed);
    }

    public AnalyzeSettings Read(ParseResult parsed, ModelConfig config) => new(
        TargetsOption.OrDefault(_targets.Read(parsed), config), [.. (parsed.GetValue(_experts) ?? s_defaultExperts).Append(1).Distinct().Order()], parsed.GetValue(_sparsity), parsed.GetValue(_seed));

    private static int[] ParseExperts(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        int[] counts = [.. text.Split(',').Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 0)];
        if (counts.All(count => count >= 1) && counts.Any(count => count > 1) && counts.Distinct().Count() == counts.Length)
        {
            return counts;
        }

        result.AddError($"--experts '{text}': must be distinct numbers of at least 1 such as {DefaultExperts}, one of them above 1.");
        return [];
    }

    private static double ParseSparsity(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is > 0 and < 1)
        {
            return share;
        }

        result.AddError($"--sparsity '{text}': must be a fraction between 0 and 1 such as 0.9.");
        return default;
    }
}
