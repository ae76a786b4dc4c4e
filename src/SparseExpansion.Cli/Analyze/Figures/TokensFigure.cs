using System.Globalization;
using ScottPlot;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>Distribution of tokens over experts.</summary>
internal static class TokensFigure
{
    public static Figure Draw(AnalyzeReport report) => new(
        "tokens",
        "Tokens per expert",
        string.Create(
            CultureInfo.InvariantCulture,
            $"Measured tokens of each of {report.Settings.MostExperts} experts, largest first. The dashed line is an even share."),
        [new LegendEntry(FigureStyle.Blue, "k-means clusters"), new LegendEntry(FigureStyle.Ink, "even share")],
        [.. Figure.Spread([.. report.Layers.DistinctBy(layer => layer.InputGroup[0])]).Select(Panel)]);

    private static Plot Panel(LayerResult layer)
    {
        ExpansionPoint point = layer.Expansions[^1];
        long[] tokens = [.. point.TokensPerExpert.OrderDescending()];
        Plot plot = FigureStyle.CreatePlot(Title(layer.InputGroup), "expert", "tokens");
        plot.Add.Bars(tokens.Select((count, rank) => new Bar { Position = rank + 1, Value = count, Size = 0.8, FillColor = FigureStyle.Blue, LineWidth = 0 }).ToArray());
        plot.Add.HorizontalLine((double)tokens.Sum() / tokens.Length, 1.2f, FigureStyle.Ink, LinePattern.Dashed);
        plot.Axes.SetLimits(0.4, tokens.Length + 0.6, 0, Math.Max(1, tokens[0]) * 1.08);
        return plot;
    }

    /// <summary>"model.layers.0.mlp.gate_proj, up_proj".</summary>
    private static string Title(IReadOnlyList<string> group) =>
        string.Join(", ", group.Select((name, i) => i == 0 ? name : name[(name.LastIndexOf('.') + 1)..]));
}
