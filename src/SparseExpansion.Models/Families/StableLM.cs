using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>StableLM 3B and StableLM 2: Llama with layer norms, of which a quarter of each head is rotated.</summary>
internal static class StableLM
{
    private static readonly DecoderKeys s_keys = new()
    {
        NormEpsilon = ("layer_norm_eps", 1e-5),

        // The first files spell the fraction as their own code did.
        Rotary = new() { Fraction = ["partial_rotary_factor", "rope_pct"], MissingFraction = 0.25 },
    };

    public static ModelFamily Family { get; } = new()
    {
        Type = "stablelm",
        Names = new() { AttentionParts = new() { QueryNorm = "q_layernorm", KeyNorm = "k_layernorm" } },
        Read = config => WindowReader.Apply(config, WindowRule.None, DecoderReader.Read(config, s_keys) with
        {
            Layout = config.Bool("use_parallel_residual", false) ? BlockLayout.ParallelSharedNorm : BlockLayout.PreNorm,
            Norm = NormKind.Layer,
            NormBias = true,
            QueryKeyValueBias = config.Bool("use_qkv_bias", false),
            QueryKeyNorm = config.Bool("qk_layernorm", false) ? QueryKeyNorm.EachHead : QueryKeyNorm.None,
        }),
        Keys = [.. KnownKey.AtOne("rotary_scaling_factor"), .. KnownKey.Irrelevant("num_heads")],
    };
}
