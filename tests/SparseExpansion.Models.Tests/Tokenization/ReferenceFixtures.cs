using System.IO.Compression;
using System.Text.Json;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Results of the Rust implementation; made by tests/tokenizers/renew.sh.</summary>
internal static class ReferenceFixtures
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Fixtures", "tokenizers");

    public static JsonElement Read(string name)
    {
        using Stream file = File.OpenRead(Path.Combine(Folder, name));
        using Stream text = name.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(file, CompressionMode.Decompress)
            : file;
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    public static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}
