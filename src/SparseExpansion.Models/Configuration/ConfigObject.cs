using System.Text.Json;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Configuration;

/// <summary>A JSON object that remembers which of its keys were asked for, so that none is ignored unseen.</summary>
internal sealed class ConfigObject
{
    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly string _where;

    /// <summary>Wraps an object.</summary>
    /// <param name="element">The object.</param>
    /// <param name="where">The file, and the key if it is nested; starts every message.</param>
    public ConfigObject(JsonElement element, string where)
    {
        _where = where;
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!_values.TryAdd(property.Name, property.Value))
            {
                throw Error(property.Name, "occurs twice");
            }
        }
    }

    /// <summary>All keys.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>True if the key is there, even if null.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>True if the key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>
    /// A whole number of at least <paramref name="least"/>, or null where the key is missing or null.
    /// </summary>
    public int? OptionalInt(string key, int least = 1) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out int number) && number >= least => number,
        _ => throw Error(key, $"must be a whole number of at least {least}"),
    };

    /// <summary>A whole number that must be there.</summary>
    public int RequiredInt(string key) => OptionalInt(key) ?? throw Error(key, "is missing");

    /// <summary>A finite number, or null where the key is missing or null.</summary>
    public double? OptionalNumber(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out double number) && double.IsFinite(number) => number,
        _ => throw Error(key, "must be a number"),
    };

    /// <summary>A finite number larger than 0, or null where the key is missing or null.</summary>
    public double? OptionalPositive(string key)
    {
        double? number = OptionalNumber(key);
        return number is null or > 0 ? number : throw Error(key, "must be a number larger than 0");
    }

    /// <summary>True or false, or the default where the key is missing or null.</summary>
    public bool Bool(string key, bool fallback) => Find(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Error(key, "must be true or false"),
    };

    /// <summary>A string, or null where the key is missing or null.</summary>
    public string? OptionalString(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Error(key, "must be a string"),
    };

    /// <summary>A string that must be there.</summary>
    public string RequiredString(string key) => OptionalString(key) ?? throw Error(key, "is missing");

    /// <summary>The raw value, or null where the key is missing or null.</summary>
    public JsonElement? Value(string key) => Find(key);

    /// <summary>A list; empty where the key is missing or null.</summary>
    public IReadOnlyList<JsonElement> Array(string key) => Find(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } value => [.. value.EnumerateArray()],
        _ => throw Error(key, "must be a list"),
    };

    /// <summary>A list of objects; empty where the key is missing or null.</summary>
    public IReadOnlyList<ConfigObject> Objects(string key) => [.. Array(key).Select((item, index) =>
        item.ValueKind == JsonValueKind.Object ? new ConfigObject(item, $"{_where}, {key}[{index}]") : throw Error(key, "must be a list of objects"))];

    /// <summary>A list of strings; empty where the key is missing or null.</summary>
    public IReadOnlyList<string> Strings(string key)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array
            || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            throw Error(key, "must be a list of strings");
        }

        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>A list of finite numbers; empty where the key is missing or null.</summary>
    public IReadOnlyList<double> Numbers(string key) => [.. Array(key).Select(item =>
        item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Error(key, "must be a list of numbers"))];

    /// <summary>A list of whole numbers of at least 0; empty where the key is missing or null.</summary>
    public IReadOnlyList<int> WholeNumbers(string key) => [.. Array(key).Select(item =>
        item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int number) && number >= 0
            ? number
            : throw Error(key, "must be a list of whole numbers of at least 0"))];

    /// <summary>One token id or a list of them; empty where the key is missing or null.</summary>
    public IReadOnlyList<int> Ids(string key)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }

        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return [.. items.Select(item =>
            item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int id) && id >= 0
                ? id
                : throw Error(key, "must be a token id or a list of token ids"))];
    }

    /// <summary>A nested object, or null where the key is missing or null.</summary>
    public ConfigObject? Object(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new ConfigObject(value, $"{_where}, {key}"),
        _ => throw Error(key, "must be an object"),
    };

    /// <summary>An object that was found inside of a key's value.</summary>
    public ConfigObject Nested(string key, JsonElement value) => new(value, $"{_where}, {key}");

    /// <summary>Marks a key as read without looking at its value.</summary>
    public void Skip(string key) => _used.Add(key);

    /// <summary>An error unless the key is missing, null or this number.</summary>
    public void RequireSame(string key, int expected)
    {
        if (OptionalInt(key, least: 0) is { } value && value != expected)
        {
            throw Error(key, $"is {value}; supported is {expected}, which follows from the other keys");
        }
    }

    /// <summary>An error if a key was never asked for and its value is not known to change nothing.</summary>
    public void RequireAllUsed(IReadOnlyDictionary<string, KnownKey> known)
    {
        string[] open = [.. _values.Keys.Where(key => !_used.Contains(key) && !(known.TryGetValue(key, out KnownKey? rule) && rule.IsNeutral(_values[key])))];

        // What is known says more.
        if (open.OrderByDescending(known.ContainsKey).FirstOrDefault() is { } key)
        {
            throw Error(key, Refusal(key, known.GetValueOrDefault(key)));
        }
    }

    /// <summary>A key's value as the file has it, for messages.</summary>
    public string Text(string key)
    {
        const int Longest = 60;
        string text = _values.TryGetValue(key, out JsonElement value) ? value.GetRawText() : "missing";
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }

    /// <summary>An error about a key.</summary>
    public CheckpointException Error(string key, string what) => new($"{_where}: the key '{key}' {what}.");

    private string Refusal(string key, KnownKey? rule) => rule is null
        ? "is not supported; the model may compute something that this library does not know"
        : rule.Refusal ?? $"is {Text(key)}, which changes what the model computes and is not supported; supported is {rule.Neutral}";

    private JsonElement? Find(string key)
    {
        _used.Add(key);
        return _values.TryGetValue(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
