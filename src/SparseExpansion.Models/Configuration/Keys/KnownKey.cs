using System.Text.Json;

namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>
/// A key of <c>config.json</c> that no reader asks for, and the values at which it changes nothing that the model
/// computes.
/// </summary>
internal sealed record KnownKey
{
    private static readonly KnownKey s_irrelevant = new() { IsIrrelevant = true };

    private IReadOnlyList<JsonElement> _values = [];
    private Func<JsonElement, bool>? _neutral;

    private KnownKey()
    {
    }

    /// <summary>True if the key changes nothing, whatever its value.</summary>
    public bool IsIrrelevant { get; private init; }

    /// <summary>The neutral values beside null, as JSON.</summary>
    public IReadOnlyList<string> Values { get; private init; } = [];

    /// <summary>The neutral values, for messages.</summary>
    public string Neutral => Values.Count == 0 ? "null" : string.Join(" or ", Values);

    /// <summary>
    /// Message about any other value; null for the usual one, which names that value and the neutral ones.
    /// </summary>
    public string? Refusal { get; private init; }

    /// <summary>Keys that change nothing, whatever their value.</summary>
    public static IEnumerable<KeyValuePair<string, KnownKey>> Irrelevant(params string[] names) =>
        names.Select(name => KeyValuePair.Create(name, s_irrelevant));

    /// <summary>
    /// A key that changes nothing at some values. Null, which stands for "not set", is always one of them.
    /// </summary>
    /// <param name="name">The key.</param>
    /// <param name="values">The values as JSON; none means null alone.</param>
    public static KeyValuePair<string, KnownKey> At(string name, params string[] values) =>
        KeyValuePair.Create(name, new KnownKey
        {
            Values = values,
            _values = [.. values.Select(Parse)],
        });

    /// <summary>Switches that change nothing while they are off.</summary>
    public static IEnumerable<KeyValuePair<string, KnownKey>> Off(params string[] names) =>
        names.Select(name => At(name, "false"));

    /// <summary>Factors that change nothing at one.</summary>
    public static IEnumerable<KeyValuePair<string, KnownKey>> AtOne(params string[] names) =>
        names.Select(name => At(name, "1"));

    /// <summary>Keys that change nothing while they are null.</summary>
    public static IEnumerable<KeyValuePair<string, KnownKey>> Unset(params string[] names) =>
        names.Select(name => At(name));

    /// <summary>A key whose other values need an explanation.</summary>
    /// <param name="name">The key.</param>
    /// <param name="refusal">The message about them, after the key.</param>
    /// <param name="neutral">True for values that are neutral, as null always is; null means no others are.</param>
    public static KeyValuePair<string, KnownKey> Explained(
        string name, string refusal, Func<JsonElement, bool>? neutral = null) =>
        KeyValuePair.Create(name, new KnownKey { Refusal = refusal, _neutral = neutral });

    /// <summary>True if the value changes nothing.</summary>
    public bool IsNeutral(JsonElement value) => IsIrrelevant || value.ValueKind == JsonValueKind.Null
        || _values.Any(item => JsonElement.DeepEquals(item, value)) || (_neutral?.Invoke(value) ?? false);

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
