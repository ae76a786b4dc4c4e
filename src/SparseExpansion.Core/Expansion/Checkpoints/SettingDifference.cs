namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>A setting in which an expansion differs from the one whose blocks a store holds.</summary>
/// <param name="Name">The setting, such as <c>sparsity</c> or <c>calibration data</c>.</param>
/// <param name="Stored">Its value when the blocks were stored; null: not known then.</param>
/// <param name="Now">Its value now; null: not known any more.</param>
public sealed record SettingDifference(string Name, string? Stored, string? Now)
{
    private const int ShownLength = 120;

    /// <summary>
    /// Such as <c>sparsity was '0.5', is '0.6'</c>; of long values what is about the place where they differ.
    /// </summary>
    public override string ToString()
    {
        int same = 0, least = Math.Min(Stored?.Length ?? 0, Now?.Length ?? 0);
        while (same < least && Stored![same] == Now![same])
        {
            same++;
        }

        int start = Stored?.Length > ShownLength || Now?.Length > ShownLength
            ? Math.Max(0, same - (ShownLength / 2))
            : 0;
        return $"{Name} was {Show(Stored, start)}, is {Show(Now, start)}";
    }

    /// <summary>Compares the settings of stored blocks with those of an expansion.</summary>
    /// <exception cref="OtherExpansionException">Names every setting that differs, with both values.</exception>
    internal static void RequireNone(
        IReadOnlyDictionary<string, string> stored, IReadOnlyDictionary<string, string> now)
    {
        SettingDifference[] differences = [.. stored.Keys.Union(now.Keys)
            .Where(name => stored.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .Select(name => new SettingDifference(name, stored.GetValueOrDefault(name), now.GetValueOrDefault(name)))];
        if (differences.Length > 0)
        {
            throw new OtherExpansionException(
                $"The stored blocks belong to another expansion: {string.Join<SettingDifference>("; ", differences)}. "
                + "Go on with the former values, or begin anew with an empty store.",
                differences);
        }
    }

    private static string Show(string? value, int start) => value is null
        ? "unknown"
        : $"'{(start > 0 ? "…" : "")}{(value.Length - start > ShownLength ? $"{value.AsSpan(start, ShownLength)}…" : value[start..])}'";
}
