using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Reads rotary settings in all their spellings: top-level keys, <c>rope_scaling</c>, and the newer
/// <c>rope_parameters</c>. Files often hold several of them, which must agree.
/// </summary>
internal static class RotaryReader
{
    /// <summary>The top-level keys of most model types: of the base, and of the rotated fraction of a head.</summary>
    public static readonly (string[] Base, string[] Fraction) CommonSpelling = (
        ["rope_theta"], ["partial_rotary_factor"]);

    /// <summary>GPT-NeoX has names of its own; the library that writes its files has added the common ones.</summary>
    public static readonly (string[] Base, string[] Fraction) GptNeoXSpelling = (
        ["rotary_emb_base", "rope_theta"], ["rotary_pct", "partial_rotary_factor"]);

    private const string Scaling = "rope_scaling";
    private const string Parameters = "rope_parameters";

    /// <summary>Reads the settings.</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="headDimension">Features of one head.</param>
    /// <param name="spelling">The top-level keys.</param>
    /// <param name="defaultPartial">The fraction where no key gives one.</param>
    public static RotaryOptions Read(
        ConfigObject config, int headDimension, (string[] Base, string[] Fraction) spelling, double defaultPartial)
    {
        (string Name, ConfigObject Keys)[] nested = [.. new[] { Scaling, Parameters }
            .Select(name => (name, config.Object(name)!))
            .Where(item => item.Item2 is not null)];
        double? theta = Agree(config, nested, spelling.Base, "rope_theta");
        double? partial = Agree(config, nested, spelling.Fraction, "partial_rotary_factor");
        double fraction = partial ?? defaultPartial;
        int dimensions = fraction is > 0 and <= 1
            ? (int)(headDimension * fraction)
            : throw config.Error(
                spelling.Fraction.First(key => config.Has(key) || key == spelling.Fraction[^1]),
                "must be larger than 0 and at most 1");
        RotaryOptions options = ReadScaling(config, nested, new RotaryOptions { Dimensions = dimensions });
        return options with { Theta = theta ?? 10000 };
    }

    private static double? Agree(
        ConfigObject config, (string Name, ConfigObject Keys)[] nested, string[] topLevel, string inner) =>
        Spellings.Agree(
        config,
        topLevel.Select(key => (key, config.OptionalNumber(key)))
            .Concat(nested.Select(item => ($"{item.Name}.{inner}", item.Keys.OptionalNumber(inner)))));

    private static RotaryOptions ReadScaling(
        ConfigObject config, (string Name, ConfigObject Keys)[] nested, RotaryOptions unscaled)
    {
        (string Name, RotaryOptions? Options)[] read =
            [.. nested.Select(item => (item.Name, ReadScaling(item.Keys, unscaled)))];
        RotaryOptions?[] named = [.. read.Select(item => item.Options).Where(options => options is not null)];
        return named.Distinct().Count() <= 1
            ? named.FirstOrDefault() ?? unscaled
            : throw Spellings.Contradiction(config, Scaling, config.Text(Scaling), Parameters, config.Text(Parameters));
    }

    /// <summary>Null where the object names no kind of scaling.</summary>
    private static RotaryOptions? ReadScaling(ConfigObject nested, RotaryOptions unscaled)
    {
        string? type = ReadKind(nested);
        RotaryOptions options = (type ?? "default") switch
        {
            "default" => unscaled,
            "linear" => unscaled with { Scaling = RotaryScaling.Linear, Factor = Required(nested, "factor") },
            "llama3" => unscaled with
            {
                Scaling = RotaryScaling.Llama3,
                Factor = Required(nested, "factor"),
                LowFrequencyFactor = Required(nested, "low_freq_factor"),
                HighFrequencyFactor = Required(nested, "high_freq_factor"),
                OriginalContext = nested.RequiredInt("original_max_position_embeddings"),
            },
            _ => throw nested.Error("rope_type", $"is '{type}'; supported are default, linear and llama3"),
        };
        nested.RequireAllUsed(options.Scaling switch
        {
            RotaryScaling.Linear => RotaryKeys.Linear,
            RotaryScaling.Llama3 => RotaryKeys.Llama3,
            _ => RotaryKeys.Unscaled,
        });
        return type is null ? null : options;
    }

    /// <summary>"type" is the older spelling; files of the transition time hold both.</summary>
    private static string? ReadKind(ConfigObject nested)
    {
        string? newer = nested.OptionalString("rope_type");
        string? older = nested.OptionalString("type");
        return newer is null || older is null || newer == older
            ? newer ?? older
            : throw Spellings.Contradiction(nested, "rope_type", nested.Text("rope_type"), "type", nested.Text("type"));
    }

    private static double Required(ConfigObject nested, string key) =>
        nested.OptionalNumber(key) ?? throw nested.Error(key, "is missing");
}
