using ScottPlot;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>Distribution of W₁ over a layer's neurons.</summary>
internal static class HistogramFigure
{
    private const int Bins = 40;

    public static Figure Draw(AnalyzeReport report) => new(
        "wasserstein",
        "Entanglement of all neurons",
        "Distance W1 of a neuron's standardized outputs from a Gaussian, in standard deviations. Dead neurons have 0."
            + Figure.SpreadNote(report.Layers.Count),
        [new LegendEntry(FigureStyle.Blue, "neurons"), new LegendEntry(FigureStyle.Orange, "Wasserstein neurons")],
        [.. Figure.Spread(report.Layers).Select(Panel)]);

    private static Plot Panel(LayerResult layer)
    {
        Plot plot = FigureStyle.CreatePlot(layer.Layer, "W1 to the Gaussian (standard deviations)", "neurons");
        double[] values = layer.Wasserstein();
        double width = Math.Max(values.Max(), 1e-6) / Bins;
        var marked = new HashSet<int>(layer.WassersteinNeurons);
        int[] bins = [.. values.Select(value => Math.Min((int)(value / width), Bins - 1))];
        ILookup<int, bool> members = Enumerable.Range(0, values.Length).ToLookup(neuron => bins[neuron], marked.Contains);
        foreach (IGrouping<int, bool> bin in members)
        {
            int plain = bin.Count(isMarked => !isMarked);
            AddBar(plot, bin.Key, width, 0, plain, FigureStyle.Blue);
            AddBar(plot, bin.Key, width, plain, bin.Count(), FigureStyle.Orange);
        }

        plot.Axes.SetLimits(0, Bins * width * 1.02, 0, members.Max(bin => bin.Count()) * 1.08);
        return plot;
    }

    private static void AddBar(Plot plot, int bin, double width, double from, double to, Color color)
    {
        if (to > from)
        {
            plot.Add.Bar(new Bar { Position = (bin + 0.5) * width, Size = width * 0.92, ValueBase = from, Value = to, FillColor = color, LineWidth = 0 });
        }
    }
}
