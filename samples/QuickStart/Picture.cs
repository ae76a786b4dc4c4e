using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;
using SkiaSharp;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Transformers;

namespace QuickStart;

/// <summary>
/// The picture of the README: perplexity against sparsity for one sparse copy of the weights and for 16 experts.
/// </summary>
internal static class Picture
{
    private const int Width = 800;
    private const int Height = 460;

    /// <summary>Pixels of a PNG for each unit of length.</summary>
    private const int PngScale = 2;

    private const float FontSize = 16;

    /// <summary>Room for the tick labels and the label beside them.</summary>
    private const int LeftSize = 72;

    private static readonly double[] s_sparsities = [0.5, 0.6, 0.7, 0.75, 0.8];
    private static readonly double[] s_ticks = [2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20];

    /// <summary>Fonts in order of preference.</summary>
    private static readonly string[] s_fonts = ["Arial", "Liberation Sans", "Helvetica", "DejaVu Sans"];

    private static readonly Color s_ink = Color.FromHex("#1F2329");
    private static readonly Color s_grid = Color.FromHex("#D8DEE5");

    private static readonly (Method Method, string Label, Color Color, MarkerShape Shape)[] s_lines =
    [
        (Method.SparseGpt, "one sparse copy (SparseGPT)", Color.FromHex("#6E7782"), MarkerShape.FilledSquare),
        (Method.Published(experts: 16), "16 experts, as published", Color.FromHex("#0A69DA"), MarkerShape.FilledCircle),
        (Method.Best, "16 experts, recipe best, shortened", Color.FromHex("#C24E00"), MarkerShape.FilledDiamond),
    ];

    /// <summary>Measures every point and writes the picture as PNG, or as SVG if the file name ends in .svg.</summary>
    public static void Save(SampleModel sample, string file)
    {
        double dense = Perplexity.Evaluate(sample.Model, sample.Evaluation).Perplexity;
        Console.WriteLine($"dense: {dense:F3}");
        Plot plot = CreatePlot();
        foreach ((Method method, string label, Color color, MarkerShape shape) in s_lines)
        {
            double[] perplexities = [.. s_sparsities.Select(sparsity => Measure(sample, method, sparsity))];
            Console.WriteLine($"{label}: {string.Join(", ", perplexities.Select(value => value.ToString("F3", CultureInfo.InvariantCulture)))}");
            ScottPlot.Plottables.Scatter line = plot.Add.Scatter(
                s_sparsities.Select(sparsity => sparsity * 100).ToArray(), perplexities.Select(Math.Log10).ToArray(),
                color);
            (line.LegendText, line.LineWidth, line.MarkerSize, line.MarkerShape) = (label, 3, 10, shape);
        }

        ScottPlot.Plottables.HorizontalLine floor = plot.Add.HorizontalLine(
            Math.Log10(dense), 2, s_ink, LinePattern.Dashed);
        (floor.LegendText, floor.EnableAutoscale) = ("dense model", true);
        Write(plot, file);
        Console.WriteLine($"Written: {file}");
    }

    private static double Measure(SampleModel sample, Method method, double sparsity)
    {
        using ExpansionResult result = method.Expand(sample, SparsityTarget.Unstructured(sparsity));
        double perplexity = Perplexity.Evaluate(sample.Model, sample.Evaluation).Perplexity;
        result.Revert();
        return perplexity;
    }

    private static Plot CreatePlot()
    {
        var plot = new Plot();
        (plot.FigureBackground.Color, plot.DataBackground.Color) = (Colors.White, Colors.White);
        plot.Axes.Color(s_ink);
        plot.Grid.MajorLineColor = s_grid;
        plot.Title("The same work per token, less loss", FontSize + 2);
        plot.XLabel("sparsity of the feed-forward weights (%)", FontSize);
        plot.YLabel("perplexity on held-out text (log scale)", FontSize);
        (plot.Axes.Bottom.Label.Bold, plot.Axes.Left.Label.Bold) = (false, false);
        (plot.Axes.Bottom.TickLabelStyle.FontSize, plot.Axes.Left.TickLabelStyle.FontSize) = (FontSize, FontSize);
        plot.Axes.Left.TickGenerator = new NumericManual(
            [.. s_ticks.Select(Math.Log10)], [.. s_ticks.Select(value => value.ToString(CultureInfo.InvariantCulture))]);
        plot.Axes.Bottom.TickGenerator = new NumericFixedInterval(10);
        plot.Axes.Left.MinimumSize = LeftSize;
        plot.Axes.Margins(0.04, 0.06);
        plot.ShowLegend(Alignment.UpperLeft);
        (plot.Legend.FontSize, plot.Legend.ShadowColor, plot.Legend.OutlineColor) = (FontSize, Colors.Transparent, s_grid);
        plot.Font.Set(s_fonts.Intersect(SKFontManager.Default.FontFamilies).FirstOrDefault(Fonts.Default));
        return plot;
    }

    private static void Write(Plot plot, string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        if (Path.GetExtension(file).Equals(".svg", StringComparison.OrdinalIgnoreCase))
        {
            File.WriteAllText(file, plot.GetSvgXml(Width, Height));
            return;
        }

        using var bitmap = new SKBitmap(Width * PngScale, Height * PngScale);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Scale(PngScale);
            plot.Render(canvas, Width, Height);
        }

        using FileStream png = File.Create(file);
        bitmap.Encode(png, SKEncodedImageFormat.Png, 100);
    }
}
