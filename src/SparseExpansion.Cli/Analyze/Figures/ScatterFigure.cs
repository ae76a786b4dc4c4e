using System.Globalization;
using ScottPlot;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>W₁ against another measure, one point per neuron.</summary>
internal static class ScatterFigure
{
    private static readonly LegendEntry[] s_legend =
        [new LegendEntry(FigureStyle.Blue, "neurons"), new LegendEntry(FigureStyle.Orange, "Wasserstein neurons")];

    public static Figure DrawImprovement(AnalyzeReport report) => new(
        "improvement",
        "Do entangled neurons gain more?",
        string.Create(
            CultureInfo.InvariantCulture,
            $"Relative improvement of {report.Settings.MostExperts} experts over one, against W1. ρ is Spearman's rank correlation with its 95 % interval.") + Figure.SpreadNote(report.Layers.Count),
        s_legend,
        [.. Figure.Spread(report.Layers).Select(layer => Panel(
            layer, $"RI with {report.Settings.MostExperts} experts", Claims.RelativeImprovement, layer.Expansions[^1].RelativeImprovement))]);

    public static Figure DrawDifficulty(AnalyzeReport report) => new(
        "difficulty",
        "Are entangled neurons hard to map?",
        "Mapping difficulty, the mean ratio of output distances to input distances of token pairs, against W1. ρ is Spearman's rank correlation with its 95 % interval." + Figure.SpreadNote(report.Layers.Count),
        s_legend,
        [.. Figure.Spread(report.Layers).Select(layer => Panel(
            layer, "mapping difficulty", nameof(NeuronMeasure.MappingDifficulty), [.. layer.Neurons.Select(neuron => neuron.MappingDifficulty)]))]);

    private static Plot Panel(LayerResult layer, string label, string measure, IReadOnlyList<double> values)
    {
        string title = layer.Correlation(nameof(NeuronMeasure.Wasserstein), measure) is { } found
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{layer.Layer}\nρ = {found.Coefficient:0.00} [{found.Lower:0.00}, {found.Upper:0.00}]")
            : layer.Layer;
        Plot plot = FigureStyle.CreatePlot(title, "W1 to the Gaussian (standard deviations)", label);
        var marked = new HashSet<int>(layer.WassersteinNeurons);
        foreach (IGrouping<bool, int> neurons in Enumerable.Range(0, values.Count).Where(neuron => double.IsFinite(values[neuron])).GroupBy(marked.Contains))
        {
            ScottPlot.Plottables.Scatter points = plot.Add.ScatterPoints(
                neurons.Select(neuron => layer.Neurons[neuron].Wasserstein).ToArray(), neurons.Select(neuron => values[neuron]).ToArray());
            points.Color = neurons.Key ? FigureStyle.Orange : FigureStyle.Blue.WithAlpha(0.45);
            points.MarkerSize = 5;
            points.MarkerShape = MarkerShape.FilledCircle;
        }

        plot.Axes.Margins(0.05, 0.08);
        return plot;
    }
}
