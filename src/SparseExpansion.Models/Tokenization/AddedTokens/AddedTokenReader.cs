using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>Reads objects that describe an added token.</summary>
internal static class AddedTokenReader
{
    /// <summary>An entry of "added_tokens" in tokenizer.json, which holds its id.</summary>
    public static AddedToken Read(ConfigObject node) =>
        Read(
            node, RequireSmall(node.OptionalInt("id", least: 0) ?? throw node.Error("id", "is missing"), node, "id"),
            special: false);

    /// <summary>An object that lies under its id, or whose id is found elsewhere.</summary>
    /// <param name="node">The object.</param>
    /// <param name="id">The token's id.</param>
    /// <param name="special">True if the token is special where the object does not say.</param>
    public static AddedToken Read(ConfigObject node, int id, bool special)
    {
        node.Skip("__type");
        special = node.Bool("special", special);
        var token = new AddedToken(
            id, node.RequiredString("content"), special, node.Bool("normalized", !special), node.Bool("lstrip", false),
            node.Bool("rstrip", false))
        {
            SingleWord = node.Bool("single_word", false),
        };
        node.RequireAllUsed(KnownKeys.None);
        return token;
    }

    /// <summary>The vocabulary's size, the largest id plus one, must be an int as well.</summary>
    public static int RequireSmall(int id, ConfigObject node, string key) =>
        id < int.MaxValue ? id : throw node.Error(key, $"is the id {id}, which is larger than any vocabulary");
}
