using ScottPlot;

namespace SparseExpansion.Cli.Analyze.Figures;

/// <summary>Meaning of a color.</summary>
internal sealed record LegendEntry(Color Color, string Text);
