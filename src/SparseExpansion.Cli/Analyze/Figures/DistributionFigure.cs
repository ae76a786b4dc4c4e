using System.Globalization;
using ScottPlot;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>
/// The main figure: dense and sparse outputs of the most entangled neuron, with increasing numbers of experts.
/// </summary>
internal static class DistributionFigure
{
    public static Figure Draw(AnalyzeReport report)
    {
        LayerResult layer = report.Layers.MaxBy(candidate => candidate.Neurons[candidate.Picture.Neuron].Wasserstein)!;
        NeuronPicture picture = layer.Picture;
        double entanglement = layer.Neurons[picture.Neuron].Wasserstein;
        double most = picture.Sparse.Append(picture.Dense).Max(values => values.Max()) / picture.BinWidth;
        return new Figure(
            "distributions",
            "The most entangled neuron",
            string.Create(
                CultureInfo.InvariantCulture,
                $"Outputs of neuron {picture.Neuron} of {layer.Layer}, dense and at {report.Settings.Sparsity:0.## %} sparsity. Its dense outputs are {entanglement:0.000} standard deviations from a Gaussian. W1 is the distance of the sparse from the dense distribution in units of the output, RI the error of one expert divided by the error of as many as the panel has."),
            [new LegendEntry(FigureStyle.Gray, "dense"), new LegendEntry(FigureStyle.Orange, "sparse experts")],
            [.. layer.Expansions.Select((point, i) => Panel(point, picture, i, most))]);
    }

    private static Plot Panel(ExpansionPoint point, NeuronPicture picture, int index, double most)
    {
        string title = string.Create(
            CultureInfo.InvariantCulture,
            $"{point.Clusters} expert{(point.IsSingle ? "" : "s")}: W1 = {point.SparseToDense[picture.Neuron]:0.000}, RI = {point.RelativeImprovement[picture.Neuron]:0.00}");
        Plot plot = FigureStyle.CreatePlot(title, "output of the neuron", "density");
        Add(plot, picture, picture.Dense, FigureStyle.Gray, 0.35);
        Add(plot, picture, picture.Sparse[index], FigureStyle.Orange, 0.18);
        plot.Axes.SetLimits(picture.Low, picture.Low + (picture.BinWidth * picture.Dense.Count), 0, most * 1.05);
        return plot;
    }

    private static void Add(Plot plot, NeuronPicture picture, IReadOnlyList<double> shares, Color color, double opacity)
    {
        double[] positions = [.. shares.Select((_, bin) => picture.Low + ((bin + 0.5) * picture.BinWidth))];
        ScottPlot.Plottables.Scatter line = plot.Add.ScatterLine(
            positions, [.. shares.Select(share => share / picture.BinWidth)], color);
        line.LineWidth = 1.5f;
        line.FillY = true;
        line.FillYColor = color.WithAlpha(opacity);
    }
}
