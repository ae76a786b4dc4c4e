namespace SparseExpansion.Models.Configuration;

/// <summary>Names of tensors in messages.</summary>
internal static class NameList
{
    private const int Shown = 10;

    /// <summary>The first names, and how many more there are.</summary>
    /// <param name="names">At least one.</param>
    /// <param name="shown">Most names to write.</param>
    public static string Of(IReadOnlyCollection<string> names, int shown = Shown)
    {
        string more = names.Count > shown ? $" and {names.Count - shown} more" : "";
        return string.Join(", ", names.Take(shown)) + more;
    }
}
