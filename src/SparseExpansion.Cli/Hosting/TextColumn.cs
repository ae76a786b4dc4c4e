namespace SparseExpansion.Cli;

/// <summary>A column of a table.</summary>
/// <param name="Heading">What stands above it.</param>
/// <param name="Rank">Where a terminal is too narrow, columns of the highest rank go first; those of rank 0 stay.</param>
/// <param name="Name">What it is called where it is left out; null: as the heading.</param>
internal sealed record TextColumn(string Heading, int Rank = 0, string? Name = null);
