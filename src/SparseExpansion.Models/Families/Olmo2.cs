using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>OLMo 2 (OLMo Team 2025): norms after attention and feed-forward network, and of queries and keys.</summary>
internal static class Olmo2
{
    public static ModelFamily Family { get; } = new()
    {
        Type = "olmo2",
        Read = config => WindowReader.Apply(
            config, WindowRule.None, Llama.ReadBiased(config, new() { KeyHeadsMayBeMissing = true, NormEpsilon = ("rms_norm_eps", 1e-5) }) with
            {
                Layout = BlockLayout.BranchNorm,
                QueryKeyNorm = QueryKeyNorm.AllHeads,
            }),
        Keys = [.. KnownKey.Unset("clip_qkv")],
    };
}
