using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models.Families;

/// <summary>Qwen 3: Llama with norms of queries and keys.</summary>
internal static class Qwen3
{
    public static ModelFamily Family { get; } = new()
    {
        Type = "qwen3",
        Read = config => Qwen2.ReadWindows(config, Llama.ReadBiased(config, new() { HeadDimension = 128 }) with
        {
            QueryKeyNorm = QueryKeyNorm.PerHead,
        }),
    };
}
