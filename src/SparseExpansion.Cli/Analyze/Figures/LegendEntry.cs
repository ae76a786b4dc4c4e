using ScottPlot;

namespace SparseExpansion.Cli;

/// <summary>Meaning of a color.</summary>
internal sealed record LegendEntry(Color Color, string Text);
