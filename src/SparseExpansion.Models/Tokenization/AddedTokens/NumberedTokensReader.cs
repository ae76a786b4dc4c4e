using System.Globalization;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>Reads added tokens that are listed with their ids, each with the file that says so.</summary>
internal static class NumberedTokensReader
{
    /// <summary>The tokens under "added_tokens_decoder".</summary>
    public static IEnumerable<(AddedToken Token, string File)> ReadDecoder(ConfigObject? config, string path)
    {
        ConfigObject? decoder = config?.Object("added_tokens_decoder");
        foreach (string key in decoder?.Keys ?? [])
        {
            int id = int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? AddedTokenReader.RequireSmall(number, decoder!, key)
                : throw decoder!.Error(key, "must be a token id");
            ConfigObject node = decoder!.Object(key) ?? throw decoder.Error(key, "must be an object");
            yield return (AddedTokenReader.Read(node, id, special: false), path);
        }
    }

    /// <summary>The tokens of added_tokens.json; those that have a role are special.</summary>
    public static IEnumerable<(AddedToken Token, string File)> ReadAdded(
        ConfigObject? file, string path, AddedToken[] roles)
    {
        foreach (string content in file?.Keys ?? [])
        {
            int id = AddedTokenReader.RequireSmall(
                file!.OptionalInt(content, least: 0) ?? throw file.Error(content, "has no id"), file, content);
            bool special = roles.Any(role => role.Content == content);
            yield return (
                new AddedToken(id, content, special, Normalized: !special, StripLeft: false, StripRight: false),
                path);
        }
    }
}
