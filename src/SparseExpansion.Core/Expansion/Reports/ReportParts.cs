using System.Text.Json;

namespace SparseExpansion.Expansion.Reports;

/// <summary>Values that parts of an expansion add to a report, by their names in its JSON.</summary>
internal sealed class ReportParts
{
    /// <summary>
    /// The parts: objects while an expansion runs, <see cref="JsonElement"/> where a report was read.
    /// </summary>
    public Dictionary<string, object> Values { get; } = [];

    /// <summary>Adds a part, or replaces it.</summary>
    /// <param name="name">In camelCase.</param>
    /// <param name="value">A value that JSON can express.</param>
    public void Set(string name, object value) => Values[name] = value;

    /// <summary>
    /// Parts of a report with those of absent steps, so that its JSON has the same names whatever was asked for.
    /// </summary>
    /// <param name="parts">The parts of the steps that were asked for.</param>
    /// <param name="absent">The value for those that were not.</param>
    public static Dictionary<string, object> Complete(
        IEnumerable<KeyValuePair<string, object>> parts, IEnumerable<(string Name, object? Value)?> absent)
    {
        var complete = new Dictionary<string, object>(parts);
        foreach ((string name, object? value) in absent.OfType<(string, object?)>())
        {
            complete.TryAdd(name, value!);
        }

        return complete;
    }

    /// <summary>Reads a part.</summary>
    /// <returns>The part; the default of its type where a report has none.</returns>
    /// <exception cref="JsonException">The part is something else.</exception>
    public static T? Get<T>(IReadOnlyDictionary<string, object> parts, string name) =>
        As<T>(parts.GetValueOrDefault(name));

    /// <summary>A part that is an object, or that was read.</summary>
    /// <exception cref="JsonException">The part is something else.</exception>
    public static T? As<T>(object? part) => part switch
    {
        JsonElement json => json.Deserialize<T>(ExpansionReport.Json),
        T value => value,
        _ => default,
    };
}
