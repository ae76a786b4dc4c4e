using ScottPlot;
using SkiaSharp;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>Colors and sizes of all figures.</summary>
internal static class FigureStyle
{
    public const int PanelWidth = 420;
    public const int PanelHeight = 300;

    /// <summary>Room for tick labels of five digits and the label beside them.</summary>
    private const int LeftSize = 68;

    public static readonly Color Ink = Color.FromHex("#1F2329");
    public static readonly Color Grid = Color.FromHex("#D8DEE5");
    public static readonly Color Paper = Color.FromHex("#FEFEFE");
    public static readonly Color Gray = Color.FromHex("#6E7782");
    public static readonly Color Blue = Color.FromHex("#0A69DA");
    public static readonly Color Orange = Color.FromHex("#C24E00");
    public static readonly Color Green = Color.FromHex("#1B7F37");
    public static readonly Color Purple = Color.FromHex("#8251DF");

    /// <summary>Every color of a figure, and its replacement on a dark page.</summary>
    public static IReadOnlyList<(Color Light, string Dark)> Colors { get; } =
    [
        (Ink, "#E6EDF3"), (Grid, "#343B45"), (Paper, "#0F141B"), (Gray, "#9BA5B1"), (Blue, "#58A6FF"), (Orange, "#FF9A4D"),
        (Green, "#3FB950"), (Purple, "#C29BFF"),
    ];

    /// <summary>Fonts in order of preference; the widths of the first three are equal.</summary>
    private static readonly string[] s_fonts = ["Arial", "Liberation Sans", "Helvetica", "DejaVu Sans"];

    /// <summary>Font of all figures.</summary>
    public static string Font { get; } = s_fonts.Intersect(SKFontManager.Default.FontFamilies)
        .FirstOrDefault(Fonts.Default);

    /// <summary>An empty panel.</summary>
    public static Plot CreatePlot(string title, string xLabel, string yLabel)
    {
        var plot = new Plot();
        plot.FigureBackground.Color = Paper;
        plot.DataBackground.Color = Paper;
        plot.Axes.Color(Ink);
        plot.Grid.MajorLineColor = Grid;
        plot.Axes.Title.Label.ForeColor = Ink;
        plot.Title(title, 13);
        plot.Axes.Title.Label.Bold = false;
        plot.XLabel(xLabel, 12);
        plot.YLabel(yLabel, 12);
        plot.Axes.Bottom.Label.Bold = false;
        plot.Axes.Left.Label.Bold = false;
        plot.Axes.Left.MinimumSize = LeftSize;
        plot.Font.Set(Font);
        return plot;
    }
}
