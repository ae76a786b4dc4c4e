using System.Collections.Frozen;

namespace SparseExpansion.Models.Configuration.Keys;

/// <summary>Keys inside of <c>rope_scaling</c> and <c>rope_parameters</c>.</summary>
internal static class RotaryKeys
{
    private static readonly KeyValuePair<string, KnownKey>[] s_all =
    [
        .. KnownKey.Irrelevant("finetuned"),
        .. KnownKey.Off("mrope_interleaved", "truncate"),
        .. KnownKey.Unset(
            "mrope_section", "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "short_factor",
            "long_factor"),
    ];

    /// <summary>
    /// Without scaling the numbers that a scaling would need are idle; a factor would be strange all the same.
    /// </summary>
    private static readonly FrozenDictionary<string, KnownKey> s_unscaled = s_all
        .Concat(KnownKey.Irrelevant("low_freq_factor", "high_freq_factor", "original_max_position_embeddings"))
        .Concat(KnownKey.AtOne("factor"))
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Linear and dynamic scaling have a factor and nothing else.</summary>
    private static readonly FrozenDictionary<string, KnownKey> s_factor = s_all
        .Concat(KnownKey.Irrelevant("original_max_position_embeddings"))
        .ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, KnownKey> s_others = s_all.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The keys that a kind of scaling has beside those that its reader asks for.</summary>
    public static FrozenDictionary<string, KnownKey> Of(RotaryScaling scaling) => scaling switch
    {
        RotaryScaling.None => s_unscaled,
        RotaryScaling.Linear or RotaryScaling.Dynamic => s_factor,
        _ => s_others,
    };
}
