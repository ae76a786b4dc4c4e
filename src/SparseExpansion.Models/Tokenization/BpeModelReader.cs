using System.Text.Json;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Tokenization.AddedTokens;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Reads the "model" of tokenizer.json.</summary>
internal static class BpeModelReader
{
    /// <summary>The model; every key must be understood.</summary>
    public static BpeModel Read(ConfigObject node, Dictionary<string, int> vocabulary)
    {
        string type = node.OptionalString("type") ?? "BPE";
        if (type != "BPE")
        {
            throw node.Error("type", $"is '{type}'; only BPE is supported");
        }

        foreach (string key in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (!string.IsNullOrEmpty(node.OptionalString(key)))
            {
                throw node.Error(key, "is set; it is not supported");
            }
        }

        if (node.OptionalNumber("dropout") is > 0)
        {
            throw node.Error("dropout", "is set; random merges are not supported");
        }

        string? unknown = node.OptionalString("unk_token");
        if (unknown is not null && !vocabulary.ContainsKey(unknown))
        {
            throw node.Error("unk_token", $"is '{unknown}', which is not in the vocabulary");
        }

        var model = new BpeModel(
            vocabulary, ReadMerges(node, vocabulary), unknown, node.Bool("fuse_unk", false),
            node.Bool("byte_fallback", false), node.Bool("ignore_merges", false));
        node.RequireAllUsed(TokenizerJsonReader.NoKeys);
        return model;
    }

    /// <summary>Ids by token.</summary>
    public static Dictionary<string, int> ReadVocabulary(ConfigObject node)
    {
        ConfigObject entries = node.Object("vocab") ?? throw node.Error("vocab", "is missing");
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var ids = new HashSet<int>();
        foreach (string token in entries.Keys)
        {
            if (token.Contains(BlankName.StandIn) && entries.Contains(token.Replace(BlankName.StandIn, ' ')))
            {
                throw entries.Error(token, "is told from another token by U+F8FF alone, which is not supported");
            }

            int id = AddedTokenReader.RequireSmall(
                entries.OptionalInt(token, least: 0) ?? throw entries.Error(token, "has no id"), entries, token);
            vocabulary.Add(token, ids.Add(id) ? id : throw entries.Error(token, $"has the id {id} of another token"));
        }

        return vocabulary;
    }

    /// <summary>
    /// Merges are strings "a b" in older files and pairs ["a", "b"] in newer ones, whose tokens may hold blanks.
    /// </summary>
    private static List<(string Left, string Right)> ReadMerges(ConfigObject node, Dictionary<string, int> vocabulary)
    {
        var merges = new List<(string, string)>();
        var seen = new HashSet<(string, string)>();
        foreach (JsonElement item in node.Array("merges"))
        {
            string[]? parts = item.ValueKind switch
            {
                JsonValueKind.String => item.GetString()!.Split(' '),
                JsonValueKind.Array when item.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) =>
                    [.. item.EnumerateArray().Select(part => part.GetString()!)],
                _ => null,
            };
            bool known = parts is { Length: 2 }
                && parts.All(vocabulary.ContainsKey)
                && vocabulary.ContainsKey(parts[0] + parts[1]);
            if (!known || parts!.Any(part => ByteTokens.TryParse(part, out _)))
            {
                throw node.Error(
                    "merges", $"holds {item.GetRawText()}, which is not a pair of tokens whose union is a token");
            }

            (string, string) merge = (parts![0], parts[1]);
            merges.Add(seen.Add(merge) ? merge : throw node.Error("merges", $"holds {item.GetRawText()} twice"));
        }

        return merges;
    }
}
