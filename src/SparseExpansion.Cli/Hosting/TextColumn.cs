namespace SparseExpansion.Cli.Hosting;

/// <summary>A column of a table.</summary>
/// <param name="Heading">Heading.</param>
/// <param name="Rank">On a narrow terminal, columns of the highest rank are omitted first; those of rank 0
/// stay.</param>
/// <param name="Name">Name in the note about omitted columns; null: the heading.</param>
internal sealed record TextColumn(string Heading, int Rank = 0, string? Name = null);
