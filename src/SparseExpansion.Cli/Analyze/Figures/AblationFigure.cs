using ScottPlot;

namespace SparseExpansion.Cli;

/// <summary>Perplexity against the sparsity of chosen neurons.</summary>
internal static class AblationFigure
{
    private static readonly Dictionary<string, Color> s_colors = AblationResult.Selectors.Keys
        .Zip([FigureStyle.Orange, FigureStyle.Blue, FigureStyle.Green, FigureStyle.Purple]).ToDictionary(entry => entry.First, entry => entry.Second);

    public static Figure Draw(AnalyzeReport report)
    {
        AblationResult ablation = report.Ablation;
        double[] sparsities = ablation.Sparsities();
        double[] shares = [.. sparsities.Select(sparsity => sparsity * 100)];
        Plot plot = FigureStyle.CreatePlot("all analysed layers together", "sparsity of the chosen neurons (%)", "perplexity");
        AddRandom(plot, ablation, sparsities, shares);
        foreach ((string selector, Color color) in s_colors)
        {
            ScottPlot.Plottables.Scatter line = plot.Add.Scatter(shares, [.. sparsities.Select(sparsity => ablation.Perplexities(selector, sparsity).Single())], color);
            (line.LineWidth, line.MarkerSize) = (2, 6);
        }

        ScottPlot.Plottables.HorizontalLine dense = plot.Add.HorizontalLine(ablation.DensePerplexity, 1.2f, FigureStyle.Ink, LinePattern.Dashed);
        dense.EnableAutoscale = true;
        plot.Axes.Margins(0.04, 0.08);
        return new Figure(
            "ablation",
            "Which neurons cannot do without their weights?",
            $"Perplexity when {ablation.Neurons} neurons ({report.Settings.TopShare * 100:0.##} % of each layer) are pruned and all others stay dense. The gray band spans {report.Settings.RandomDraws} random draws, the dashed line is the dense model.",
            [.. s_colors.Select(entry => new LegendEntry(entry.Value, entry.Key)), new LegendEntry(FigureStyle.Gray, AblationResult.Random), new LegendEntry(FigureStyle.Ink, "dense model")],
            [plot]);
    }

    private static void AddRandom(Plot plot, AblationResult ablation, double[] sparsities, double[] shares)
    {
        double[][] random = [.. sparsities.Select(sparsity => ablation.Perplexities(AblationResult.Random, sparsity))];
        ScottPlot.Plottables.FillY band = plot.Add.FillY(shares, [.. random.Select(values => values.Min())], [.. random.Select(values => values.Max())]);
        band.FillColor = FigureStyle.Gray.WithAlpha(0.3);
        band.LineWidth = 0;
        band.MarkerSize = 0;
        ScottPlot.Plottables.Scatter mean = plot.Add.Scatter(shares, [.. random.Select(values => values.Average())], FigureStyle.Gray);
        (mean.LineWidth, mean.MarkerSize) = (2, 6);
    }
}
