using ScottPlot;
using SkiaSharp;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>Draws figures to files and strings.</summary>
internal static class FigureFile
{
    /// <summary>Pixels of a PNG for each unit of length.</summary>
    private const int PngScale = 2;

    private const int MostColumns = 3;
    private const int LegendHeight = 34;
    private const int LegendMargin = 16;

    /// <summary>Writes the figure as SVG and PNG.</summary>
    public static void Save(Figure figure, string folder)
    {
        int columns = Math.Min(MostColumns, figure.Panels.Count);
        int rows = (figure.Panels.Count + columns - 1) / columns;
        (int panelWidth, int panelHeight) = PanelSize(figure);
        int width = Math.Max(columns * panelWidth, LegendWidth(figure));
        int height = (rows * panelHeight) + LegendHeight;
        using (FileStream file = File.Create(Path.Combine(folder, figure.Name + ".svg")))
        using (SKCanvas canvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), file))
        {
            Draw(figure, canvas, columns);
        }

        using var bitmap = new SKBitmap(width * PngScale, height * PngScale);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Scale(PngScale);
            Draw(figure, canvas, columns);
        }

        using FileStream png = File.Create(Path.Combine(folder, figure.Name + ".png"));
        bitmap.Encode(png, SKEncodedImageFormat.Png, 100);
    }

    /// <summary>One panel as SVG.</summary>
    public static string ToSvg(Plot panel) => panel.GetSvgXml(FigureStyle.PanelWidth, FigureStyle.PanelHeight);

    private static void Draw(Figure figure, SKCanvas canvas, int columns)
    {
        canvas.Clear(new SKColor(FigureStyle.Paper.ARGB));
        DrawLegend(figure, canvas);
        (int width, int height) = PanelSize(figure);
        for (int i = 0; i < figure.Panels.Count; i++)
        {
            canvas.Save();
            canvas.Translate(i % columns * width, LegendHeight + (i / columns * height));

            // A plot clears its whole clipping area.
            canvas.ClipRect(new SKRect(0, 0, width, height));
            figure.Panels[i].Render(canvas, width, height);
            canvas.Restore();
        }
    }

    /// <summary>
    /// Size of a panel: larger if it is the only one, which would otherwise be small next to its legend.
    /// </summary>
    private static (int Width, int Height) PanelSize(Figure figure) => figure.Panels.Count == 1
        ? (FigureStyle.PanelWidth * 2, FigureStyle.PanelHeight * 3 / 2)
        : (FigureStyle.PanelWidth, FigureStyle.PanelHeight);

    private static int LegendWidth(Figure figure)
    {
        using SKFont font = LegendFont();
        return (int)figure.Legend.Sum(entry => EntryWidth(entry, font)) + LegendMargin;
    }

    private static void DrawLegend(Figure figure, SKCanvas canvas)
    {
        using SKFont font = LegendFont();
        using var paint = new SKPaint { IsAntialias = true };
        float x = LegendMargin;
        foreach (LegendEntry entry in figure.Legend)
        {
            paint.Color = new SKColor(entry.Color.ARGB);
            canvas.DrawRect(x, 12, 12, 12, paint);
            paint.Color = new SKColor(FigureStyle.Ink.ARGB);
            canvas.DrawText(entry.Text, x + 18, 23, font, paint);
            x += EntryWidth(entry, font);
        }
    }

    private static float EntryWidth(LegendEntry entry, SKFont font) => 18 + font.MeasureText(entry.Text) + 20;

    private static SKFont LegendFont() => new(SKTypeface.FromFamilyName(FigureStyle.Font), 13);
}
