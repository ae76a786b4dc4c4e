using System.Text.Json;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>
/// Reads <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c>, <c>added_tokens.json</c> and, where the first
/// two are missing, the ids in <c>config.json</c>. The first file that names a token counts.
/// </summary>
internal static class SpecialTokensReader
{
    private const string Config = "tokenizer_config.json";
    private const string Map = "special_tokens_map.json";
    private const string Added = "added_tokens.json";

    private static readonly string[] s_roles =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
    private static readonly string[] s_lists = ["additional_special_tokens", "extra_special_tokens"];

    public static SpecialTokens Read(string folder)
    {
        ConfigObject? config = Open(folder, Config);
        ConfigObject?[] files = [config, Open(folder, Map)];
        bool named = files.Any(file => file is not null);
        AddedToken[] roles = [.. ReadRoles(files)];
        return new SpecialTokens
        {
            Bos = Role(files, "bos_token")?.Content,
            Eos = Role(files, "eos_token")?.Content,
            SpeaksOfBos = files.Any(file => file?.Contains("bos_token") ?? false),
            SpeaksOfEos = files.Any(file => file?.Contains("eos_token") ?? false),
            AddBos = Flag(config, "add_bos_token"),
            AddEos = Flag(config, "add_eos_token"),
            TokenizerClass = ReadClass(config),
            Legacy = Flag(config, "legacy") ?? true,
            AddPrefixSpace = Flag(config, "add_prefix_space") ?? true,
            Added =
            [
                .. NumberedTokensReader.ReadDecoder(config, Path.Combine(folder, Config)),
                .. NumberedTokensReader.ReadAdded(Open(folder, Added), Path.Combine(folder, Added), roles),
            ],
            Roles = roles,
            AreNamed = named,
            ModelIds = named ? default : ReadModelIds(folder),
            ConfigFile = Path.Combine(folder, Config),
        };
    }

    private static ConfigObject? Open(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? new ConfigObject(JsonFile.ReadObject(path), path) : null;
    }

    private static bool? Flag(ConfigObject? file, string key) =>
        file is not null && file.Has(key) ? file.Bool(key, false) : null;

    private static string? ReadClass(ConfigObject? config)
    {
        const string Fast = "Fast";
        string? name = config?.OptionalString("tokenizer_class");
        return name is not null && name.EndsWith(Fast, StringComparison.Ordinal) ? name[..^Fast.Length] : name;
    }

    private static IEnumerable<AddedToken> ReadRoles(ConfigObject?[] files)
    {
        foreach (string role in s_roles)
        {
            if (Role(files, role) is { } token)
            {
                yield return token;
            }
        }

        foreach (ConfigObject file in files.OfType<ConfigObject>())
        {
            foreach (AddedToken token in s_lists.SelectMany(key => ReadList(file, key)))
            {
                yield return token;
            }
        }
    }

    private static AddedToken? Role(ConfigObject?[] files, string key) =>
        files.Select(file => file?.Value(key) is { } value ? ReadToken(file, key, value) : null)
            .FirstOrDefault(token => token is not null);

    /// <summary>A list of tokens, or an object that gives each a name.</summary>
    private static IEnumerable<AddedToken> ReadList(ConfigObject file, string key) => file.Value(key) switch
    {
        { ValueKind: JsonValueKind.Object } names => names.EnumerateObject().Select(
            item => ReadToken(file, key, item.Value)),
        _ => file.Array(key).Select(item => ReadToken(file, key, item)),
    };

    /// <summary>A token is written as its content or as an object that holds it.</summary>
    private static AddedToken ReadToken(ConfigObject file, string key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => new AddedToken(
            0, value.GetString()!, Special: true, Normalized: false, StripLeft: false, StripRight: false),
        JsonValueKind.Object => AddedTokenReader.Read(file.Nested(key, value), 0, special: true) with { Special = true },
        _ => throw file.Error(key, "must be the content of a token or an object that holds it"),
    };

    private static (int? Bos, int? Eos) ReadModelIds(string folder)
    {
        ConfigObject? config = Open(folder, CheckpointFiles.Config);
        int? eos = config?.Ids("eos_token_id") is [int first, ..] ? first : null;
        return (config?.OptionalInt("bos_token_id", least: 0), eos);
    }
}
