using ScottPlot;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>A figure of one or more panels of equal size.</summary>
/// <param name="Name">File name without extension.</param>
/// <param name="Title">Heading in the report.</param>
/// <param name="Caption">Explanation below the figure.</param>
/// <param name="Legend">Meaning of the colors.</param>
/// <param name="Panels">Plots, laid out in rows.</param>
internal sealed record Figure(
    string Name, string Title, string Caption, IReadOnlyList<LegendEntry> Legend, IReadOnlyList<Plot> Panels)
{
    /// <summary>Largest number of panels: of many layers, evenly spread ones are drawn.</summary>
    private const int MostPanels = 12;

    /// <summary>A sentence for the caption; empty if all layers are drawn.</summary>
    public static string SpreadNote(int layers) =>
        layers <= MostPanels ? "" : FormattableString.Invariant($" Of {layers} layers, {MostPanels} are drawn.");

    /// <summary>The layers to draw.</summary>
    public static IReadOnlyList<T> Spread<T>(IReadOnlyList<T> all) => all.Count <= MostPanels
        ? all
        : [.. Enumerable.Range(0, MostPanels).Select(i => all[(int)Math.Round((double)i * (all.Count - 1) / (MostPanels - 1))])];
}
