namespace SparseExpansion.Cli.Hosting;

/// <summary>Finds the intended name for a mistyped one.</summary>
internal static class NearestName
{
    /// <summary>
    /// Number of edits up to which two names count as near: one for every three characters, and two for short names.
    /// </summary>
    private const int CharactersPerEdit = 3;

    /// <summary>The name with the fewest edits; null if none is near.</summary>
    public static string? Of(string written, IEnumerable<string> names) => names
        .Select(name => (Name: name, Edits: Distance(written, name)))
        .Where(item => item.Edits <= Math.Max(2, item.Name.Length / CharactersPerEdit))
        .OrderBy(item => item.Edits)
        .Select(item => item.Name)
        .FirstOrDefault();

    /// <summary>Levenshtein distance: insertions, deletions and replacements.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
