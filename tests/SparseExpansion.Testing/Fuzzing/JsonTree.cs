using System.Text;
using System.Text.Json;

namespace SparseExpansion.Testing.Fuzzing;

/// <summary>
/// A JSON value that can be changed into what no serializer would write: twice the same key, words that are no JSON.
/// </summary>
internal sealed class JsonTree
{
    private readonly string? _raw;
    private readonly bool _isObject;

    private JsonTree(string? raw, bool isObject) => (_raw, _isObject) = (raw, isObject);

    /// <summary>
    /// Values of an object or a list; keys are null in a list and written as they are, quotes included, in an object.
    /// </summary>
    public List<(string? Key, JsonTree Value)> Children { get; } = [];

    public static JsonTree Raw(string text) => new(text, false);

    public static JsonTree Parse(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return From(document.RootElement);
    }

    public JsonTree Clone()
    {
        var copy = new JsonTree(_raw, _isObject);
        copy.Children.AddRange(Children.Select(child => (child.Key, child.Value.Clone())));
        return copy;
    }

    /// <summary>All values that have children of their own, and this one.</summary>
    public IEnumerable<JsonTree> Parents() =>
        _raw is not null ? [] : Children.SelectMany(child => child.Value.Parents()).Prepend(this);

    public void Write(StringBuilder output)
    {
        if (_raw is not null)
        {
            output.Append(_raw);
            return;
        }

        output.Append(_isObject ? '{' : '[');
        for (int i = 0; i < Children.Count; i++)
        {
            output.Append(i > 0 ? "," : "");
            if (_isObject)
            {
                output.Append(Children[i].Key ?? "\"\"").Append(':');
            }

            Children[i].Value.Write(output);
        }

        output.Append(_isObject ? '}' : ']');
    }

    private static JsonTree From(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var parent = new JsonTree(null, true);
                parent.Children.AddRange(element.EnumerateObject().Select(item => ((string?)JsonSerializer.Serialize(item.Name), From(item.Value))));
                return parent;
            case JsonValueKind.Array:
                var list = new JsonTree(null, false);
                list.Children.AddRange(element.EnumerateArray().Select(item => ((string?)null, From(item))));
                return list;
            default:
                return Raw(element.GetRawText());
        }
    }
}
