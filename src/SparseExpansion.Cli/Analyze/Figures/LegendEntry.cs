using ScottPlot;

namespace SparseExpansion.Cli;

/// <summary>What a colour means.</summary>
internal sealed record LegendEntry(Color Color, string Text);
