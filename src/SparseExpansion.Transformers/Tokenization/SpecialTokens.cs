using System.Text.Json;

namespace SparseExpansion.Transformers;

/// <summary>The start and end tokens that <c>tokenizer_config.json</c>, or else <c>special_tokens_map.json</c>, names.</summary>
/// <param name="Bos">Content of the start token.</param>
/// <param name="Eos">Content of the end token.</param>
/// <param name="AddBos">Whether texts start with it; null where the file does not say.</param>
/// <param name="AddEos">Whether texts end with the end token.</param>
/// <param name="AreNamed">False if neither file is there.</param>
internal sealed record SpecialTokens(string? Bos, string? Eos, bool? AddBos, bool AddEos, bool AreNamed)
{
    public static SpecialTokens Read(string folder)
    {
        ConfigObject? config = Open(folder, "tokenizer_config.json");
        ConfigObject? map = Open(folder, "special_tokens_map.json");
        bool? addBos = config is not null && config.Has("add_bos_token") ? config.Bool("add_bos_token", false) : null;
        return new SpecialTokens(
            Content(config, "bos_token") ?? Content(map, "bos_token"),
            Content(config, "eos_token") ?? Content(map, "eos_token"),
            addBos,
            config?.Bool("add_eos_token", false) ?? false,
            config is not null || map is not null);
    }

    private static ConfigObject? Open(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? new ConfigObject(JsonFile.ReadObject(path), path) : null;
    }

    /// <summary>A token is written as its content or as an object that holds it.</summary>
    private static string? Content(ConfigObject? file, string key) => file?.Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } => file.Object(key)!.OptionalString("content"),
        _ => file.OptionalString(key),
    };
}
