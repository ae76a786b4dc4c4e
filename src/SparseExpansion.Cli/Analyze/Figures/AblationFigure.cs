using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>Perplexity against the sparsity of chosen neurons.</summary>
internal static class AblationFigure
{
    private static readonly Dictionary<string, Color> s_colors = AblationResult.Selectors.Keys
        .Zip([FigureStyle.Orange, FigureStyle.Blue, FigureStyle.Green, FigureStyle.Purple]).ToDictionary(entry => entry.First, entry => entry.Second);

    private static readonly double[][] s_steps =
        [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7], [.. Enumerable.Range(10, 90).Where(step => step % 2 == 0).Select(step => step / 10.0)]];

    public static Figure Draw(AnalyzeReport report)
    {
        AblationResult ablation = report.Ablation;
        double[] sparsities = ablation.Sparsities();
        double[] shares = [.. sparsities.Select(sparsity => sparsity * 100)];
        Plot plot = FigureStyle.CreatePlot(
            "all analyzed layers together", "sparsity of the chosen neurons (%)", "perplexity (logarithmic)");
        AddRandom(plot, ablation, sparsities, shares);
        foreach ((string selector, Color color) in s_colors)
        {
            ScottPlot.Plottables.Scatter line = plot.Add.Scatter(
                shares,
                [.. sparsities.Select(sparsity => Math.Log10(ablation.Perplexities(selector, sparsity).Single()))],
                color);
            (line.LineWidth, line.MarkerSize) = (2, 6);
        }

        ScottPlot.Plottables.HorizontalLine dense = plot.Add.HorizontalLine(
            Math.Log10(ablation.DensePerplexity), 1.2f, FigureStyle.Ink, LinePattern.Dashed);
        dense.EnableAutoscale = true;
        plot.Axes.Margins(0.04, 0.08);
        plot.Axes.Left.TickGenerator = Ticks(ablation);
        return new Figure(
            "ablation",
            "Which neurons depend on their weights?",
            $"Perplexity when {ablation.Neurons} neurons ({report.Settings.TopShare * 100:0.##} % of each layer) are pruned and all others stay dense. The gray band spans {report.Settings.RandomDraws} random draws, the dashed line is the dense model.",
            [.. s_colors.Select(entry => new LegendEntry(entry.Value, entry.Key)), new LegendEntry(FigureStyle.Gray, AblationResult.Random), new LegendEntry(FigureStyle.Ink, "dense model")],
            [plot]);
    }

    /// <summary>Round perplexities at their logarithms: of the steps that give at least four, the coarsest.</summary>
    private static NumericManual Ticks(AblationResult ablation)
    {
        double low = Math.Min(ablation.DensePerplexity, ablation.Points.Min(point => point.Perplexity)) * 0.9;
        double high = ablation.Points.Max(point => point.Perplexity) * 1.1;
        double[] candidates = [];
        foreach (double[] steps in s_steps)
        {
            int first = (int)Math.Floor(Math.Log10(low));
            int count = (int)Math.Ceiling(Math.Log10(high)) - first + 1;
            candidates = [.. Enumerable.Range(first, count).SelectMany(power => steps.Select(step => step * Math.Pow(10, power))).Where(value => value >= low && value <= high)];
            if (candidates.Length >= 4)
            {
                break;
            }
        }

        return new NumericManual(
            [.. candidates.Select(Math.Log10)],
            [.. candidates.Select(value => value.ToString("0.##", CultureInfo.InvariantCulture))]);
    }

    private static void AddRandom(Plot plot, AblationResult ablation, double[] sparsities, double[] shares)
    {
        double[][] random = [.. sparsities.Select(sparsity => ablation.Perplexities(AblationResult.Random, sparsity).Select(Math.Log10).ToArray())];
        ScottPlot.Plottables.FillY band = plot.Add.FillY(
            shares, [.. random.Select(values => values.Min())], [.. random.Select(values => values.Max())]);
        band.FillColor = FigureStyle.Gray.WithAlpha(0.3);
        band.LineWidth = 0;
        band.MarkerSize = 0;
        ScottPlot.Plottables.Scatter mean = plot.Add.Scatter(
            shares, [.. random.Select(values => values.Average())], FigureStyle.Gray);
        (mean.LineWidth, mean.MarkerSize) = (2, 6);
    }
}
