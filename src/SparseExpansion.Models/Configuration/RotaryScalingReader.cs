using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Configuration;

/// <summary>Reads one object of rotary settings, <c>rope_scaling</c> or <c>rope_parameters</c>.</summary>
internal static class RotaryScalingReader
{
    private const string Original = "original_max_position_embeddings";

    /// <summary>Reads the scaling; null where the object names none.</summary>
    /// <param name="nested">The object; base and rotated fraction have been read.</param>
    /// <param name="unscaled">The settings without scaling.</param>
    /// <param name="positions">Longest sequence, in tokens.</param>
    /// <param name="original">Context of pre-training as the top level has it, which goes before the object's
    /// own; only some scalings ask for it.</param>
    public static RotaryOptions? Read(ConfigObject nested, RotaryOptions unscaled, int positions, Func<int?> original)
    {
        string? type = ReadKind(nested);
        RotaryOptions options = (type ?? "default") switch
        {
            "default" => unscaled,
            "linear" => unscaled with { Scaling = RotaryScaling.Linear, Factor = Required(nested, "factor") },
            "dynamic" => unscaled with
            {
                Scaling = RotaryScaling.Dynamic,
                Factor = Required(nested, "factor"),
                OriginalContext = positions,
            },
            "llama3" => unscaled with
            {
                Scaling = RotaryScaling.Llama3,
                Factor = Required(nested, "factor"),
                LowFrequencyFactor = Required(nested, "low_freq_factor"),
                HighFrequencyFactor = Required(nested, "high_freq_factor"),
                OriginalContext = OriginalContext(nested, positions, original),
            },
            "yarn" => ReadYarn(nested, unscaled, positions, original),
            "longrope" or "su" => ReadLongRope(nested, unscaled, positions, original),
            _ => throw nested.Error(
                "rope_type", $"is '{type}'; supported are default, linear, dynamic, llama3, yarn and longrope"),
        };
        nested.RequireAllUsed(RotaryKeys.Of(options.Scaling));
        return type is null ? null : options;
    }

    /// <summary>
    /// "type" is the older spelling; files of the transition time hold both. Phi-3's first files say "yarn" and mean
    /// LongRoPE, as their lists of divisors show.
    /// </summary>
    private static string? ReadKind(ConfigObject nested)
    {
        string? newer = nested.OptionalString("rope_type");
        string? older = nested.OptionalString("type");
        string? kind = newer is null || older is null || newer == older || (newer == "longrope" && older == "su")
            ? newer ?? older
            : throw Spellings.Contradiction(nested, "rope_type", nested.Text("rope_type"), "type", nested.Text("type"));
        return kind == "yarn" && nested.Has("short_factor") ? "longrope" : kind;
    }

    private static RotaryOptions ReadYarn(ConfigObject nested, RotaryOptions unscaled, int positions, Func<int?> original)
    {
        int context = OriginalContext(nested, positions, original);
        double factor = nested.OptionalNumber("factor") ?? (double)positions / context;
        double? scale = nested.OptionalNumber("mscale"), allScale = nested.OptionalNumber("mscale_all_dim");
        double attention = scale is > 0 && allScale is > 0
            ? RotaryFrequencies.YarnAttention(factor, scale.Value) / RotaryFrequencies.YarnAttention(factor, allScale.Value)
            : RotaryFrequencies.YarnAttention(factor);
        return unscaled with
        {
            Scaling = RotaryScaling.Yarn,
            Factor = factor,
            OriginalContext = context,
            BetaFast = nested.OptionalNumber("beta_fast") ?? 32,
            BetaSlow = nested.OptionalNumber("beta_slow") ?? 1,
            TruncatesRamp = nested.Bool("truncate", true),
            AttentionFactor = nested.OptionalNumber("attention_factor") ?? attention,
        };
    }

    private static RotaryOptions ReadLongRope(ConfigObject nested, RotaryOptions unscaled, int positions, Func<int?> original)
    {
        int context = OriginalContext(nested, positions, original);
        double factor = nested.OptionalNumber("factor") ?? (double)positions / context;
        return unscaled with
        {
            Scaling = RotaryScaling.LongRope,
            Factor = factor,
            OriginalContext = context,
            ShortFactors = Divisors(nested, "short_factor", unscaled.Dimensions / 2),
            LongFactors = Divisors(nested, "long_factor", unscaled.Dimensions / 2),
            AttentionFactor = nested.OptionalNumber("attention_factor") ?? RotaryFrequencies.LongRopeAttention(factor, context),
        };
    }

    private static double[] Divisors(ConfigObject nested, string key, int count)
    {
        IReadOnlyList<double> values = nested.Numbers(key);
        return values.Count == count && values.All(value => value > 0)
            ? [.. values]
            : throw nested.Error(key, $"must be a list of {count} numbers larger than 0, one for each rotated pair of features");
    }

    private static int OriginalContext(ConfigObject nested, int positions, Func<int?> original)
    {
        int? own = nested.OptionalInt(Original);
        return original() ?? own ?? positions;
    }

    private static double Required(ConfigObject nested, string key) =>
        nested.OptionalNumber(key) ?? throw nested.Error(key, "is missing");
}
