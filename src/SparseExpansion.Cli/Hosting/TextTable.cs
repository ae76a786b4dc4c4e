namespace SparseExpansion.Cli.Hosting;

/// <summary>
/// A table for people: the first column is left-aligned, the others right-aligned. In a file it has any width; on a
/// terminal it is made to fit: module paths begin at the number of their block, then columns are omitted, and a note
/// names them.
/// </summary>
internal sealed class TextTable(params TextColumn[] columns)
{
    private const string Gap = "  ";

    /// <summary>Shorter paths are not informative.</summary>
    private const int ShortestPath = 8;

    private readonly List<string[]> _rows = [[.. columns.Select(column => column.Heading)]];

    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes the table, and a note about omitted columns.</summary>
    public void Write(TextLayout layout)
    {
        int[] all = [.. Enumerable.Range(0, columns.Length)];
        if (layout.Width is not { } width || Width(_rows, all) <= width)
        {
            Write(layout, _rows, all);
            return;
        }

        List<string[]> rows = [_rows[0], .. _rows.Skip(1).Select(row => new[] { ModulePath.FromBlock(row[0]) }.Concat(row.Skip(1)).ToArray())];
        int[] kept = all;
        while (Width(rows, kept) > width && kept.MaxBy(column => columns[column].Rank) is var last && columns[last].Rank > 0)
        {
            kept = [.. kept.Where(column => column != last)];
        }

        int room = Math.Max(ShortestPath, Widths(rows, kept)[0] - Math.Max(0, Width(rows, kept) - width));
        rows.ForEach(row => row[0] = ModulePath.Shorten(row[0], room));
        Write(layout, rows, kept);
        Remark(layout, all.Except(kept));
    }

    private static int[] Widths(List<string[]> rows, int[] kept) =>
        [.. kept.Select(column => rows.Max(row => row[column].Length))];

    private static int Width(List<string[]> rows, int[] kept) =>
        Widths(rows, kept).Sum() + (Gap.Length * (kept.Length - 1));

    private static void Write(TextLayout layout, List<string[]> rows, int[] kept)
    {
        int[] widths = Widths(rows, kept);
        foreach (string[] row in rows)
        {
            IEnumerable<string> cells = kept.Select(
                (column, i) => i == 0 ? row[column].PadRight(widths[i]) : row[column].PadLeft(widths[i]));
            layout.Output.WriteLine(string.Join(Gap, cells).TrimEnd());
        }
    }

    private void Remark(TextLayout layout, IEnumerable<int> leftOut)
    {
        string[] names = [.. leftOut.Select(column => columns[column].Name ?? columns[column].Heading)];
        if (names.Length > 0)
        {
            layout.WriteLine(
                $"(omitted for lack of space: {string.Join(", ", names)}; use a wider terminal, a file or --json)");
        }
    }
}
