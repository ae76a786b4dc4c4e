using System.Text.Json;
using System.Text.Json.Serialization;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Results for programs: one JSON object with camelCase names.</summary>
internal static class JsonOutput
{
    // A perplexity may overflow; it is then written as "Infinity".
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
    };

    public static void Write<T>(ToolHost host, T value) =>
        host.Output.WriteLine(JsonSerializer.Serialize(value, s_options));
}
