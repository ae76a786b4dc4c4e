using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Reads the "post_processor" of tokenizer.json: the ids around a text.</summary>
internal static class TemplateReader
{
    public static (IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix) Read(ConfigObject? node)
    {
        if (node is null)
        {
            return ([], []);
        }

        string type = node.RequiredString("type");
        switch (type)
        {
            case "ByteLevel":
                // It moves offsets only, which this library does not hand out.
                return ([], []);
            case "Sequence":
                var parts = node.Objects("processors").Select(Read).ToList();
                return (
                    [.. parts.AsEnumerable().Reverse().SelectMany(part => part.Prefix)],
                    [.. parts.SelectMany(part => part.Suffix)]);
            case "TemplateProcessing":
                return ReadTemplate(node);
            default:
                throw node.Error("type", $"is '{type}'; supported are TemplateProcessing, ByteLevel and Sequence");
        }
    }

    private static (IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix) ReadTemplate(ConfigObject node)
    {
        var prefix = new List<int>();
        var suffix = new List<int>();
        ConfigObject? special = node.Object("special_tokens");
        bool seenText = false;
        foreach (ConfigObject item in node.Objects("single"))
        {
            if (item.Object("Sequence") is not null)
            {
                seenText = !seenText ? true : throw node.Error("single", "holds the text twice");
                continue;
            }

            ConfigObject token = item.Object("SpecialToken") ?? throw node.Error(
                "single", "holds an item that is neither SpecialToken nor Sequence");
            string id = token.RequiredString("id");
            IReadOnlyList<int> ids =
                special?.Object(id)?.Ids("ids") ?? throw node.Error("special_tokens", $"lacks '{id}'");
            (seenText ? suffix : prefix).AddRange(ids);
        }

        return seenText ? (prefix, suffix) : throw node.Error("single", "lacks the text");
    }
}
