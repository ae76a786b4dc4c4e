using System.Collections.Frozen;

namespace SparseExpansion.Transformers;

/// <summary>Reads rotary settings in their spellings: top-level keys, <c>rope_scaling</c>, and the newer <c>rope_parameters</c>.</summary>
internal static class RotaryReader
{
    /// <summary>Reads the settings.</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="headDimension">Features of one head.</param>
    /// <param name="thetaKey">The top-level key of the base.</param>
    /// <param name="partialKey">The top-level key of the rotated fraction of a head, or null where heads are always rotated whole.</param>
    /// <param name="defaultPartial">The fraction where no key gives one.</param>
    public static RotaryOptions Read(ConfigObject config, int headDimension, string thetaKey, string? partialKey, double defaultPartial)
    {
        double? theta = config.OptionalNumber("rope_theta") ?? (thetaKey == "rope_theta" ? null : config.OptionalNumber(thetaKey));
        double? partial = config.OptionalNumber("partial_rotary_factor") ?? (partialKey is null ? null : config.OptionalNumber(partialKey));
        ConfigObject? parameters = config.Object("rope_parameters");
        ConfigObject? scaling = config.Object("rope_scaling");
        var options = new RotaryOptions { Dimensions = headDimension };
        foreach (ConfigObject nested in new[] { scaling, parameters }.OfType<ConfigObject>())
        {
            theta = nested.OptionalNumber("rope_theta") ?? theta;
            partial = nested.OptionalNumber("partial_rotary_factor") ?? partial;
            options = ReadScaling(nested, options);
            nested.RequireAllUsed(FrozenSet<string>.Empty);
        }

        double fraction = partial ?? defaultPartial;
        int dimensions = fraction is > 0 and <= 1
            ? (int)(headDimension * fraction)
            : throw config.Error(partialKey ?? "partial_rotary_factor", "must be larger than 0 and at most 1");
        return options with { Theta = theta ?? 10000, Dimensions = dimensions };
    }

    private static RotaryOptions ReadScaling(ConfigObject nested, RotaryOptions options)
    {
        // "type" is the older spelling; files of the transition time hold both.
        string? older = nested.OptionalString("type");
        string type = nested.OptionalString("rope_type") ?? older ?? "default";
        switch (type)
        {
            case "default":
                return options;
            case "linear":
                return options with { Scaling = RotaryScaling.Linear, Factor = Required(nested, "factor") };
            case "llama3":
                return options with
                {
                    Scaling = RotaryScaling.Llama3,
                    Factor = Required(nested, "factor"),
                    LowFrequencyFactor = Required(nested, "low_freq_factor"),
                    HighFrequencyFactor = Required(nested, "high_freq_factor"),
                    OriginalContext = nested.RequiredInt("original_max_position_embeddings"),
                };
            default:
                throw nested.Error("rope_type", $"is '{type}'; supported are default, linear and llama3");
        }
    }

    private static double Required(ConfigObject nested, string key) => nested.OptionalNumber(key) ?? throw nested.Error(key, "is missing");
}
