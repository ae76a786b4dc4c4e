using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Reads rotary settings in all their spellings: top-level keys, <c>rope_scaling</c>, and the newer
/// <c>rope_parameters</c>. Files often hold several of them, which must agree.
/// </summary>
internal static class RotaryReader
{
    private const string Scaling = "rope_scaling";
    private const string Parameters = "rope_parameters";

    /// <summary>Reads the settings.</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="names">The top-level keys.</param>
    /// <param name="headDimension">Features of one head.</param>
    /// <param name="positions">Longest sequence, in tokens.</param>
    public static RotaryOptions Read(ConfigObject config, RotaryKeyNames names, int headDimension, int positions) =>
        Read(config, names, headDimension, positions, Nested(config, config.Object(Parameters)));

    /// <summary>
    /// Reads the settings of a model whose layers with a window have others than those without: the newer spelling has
    /// an object for each kind, the older one a key of its own for the base of layers with a window.
    /// </summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="names">The top-level keys.</param>
    /// <param name="slidingTheta">The older key, and the base in files that do not say.</param>
    /// <param name="headDimension">Features of one head.</param>
    /// <param name="positions">Longest sequence, in tokens.</param>
    public static (RotaryOptions Full, RotaryOptions Sliding) ReadByKind(
        ConfigObject config, RotaryKeyNames names, (string Key, double Missing) slidingTheta, int headDimension, int positions)
    {
        ConfigObject? parameters = config.Object(Parameters);
        ConfigObject? full = parameters?.Object("full_attention");
        ConfigObject? sliding = parameters?.Object("sliding_attention");
        bool byKind = full is not null || sliding is not null;
        var slidingNames = new RotaryKeyNames
        {
            Theta = [slidingTheta.Key],
            MissingTheta = slidingTheta.Missing,
            Fraction = [],
        };
        if (byKind)
        {
            parameters!.RequireAllUsed(KnownKeys.None);
        }

        return (
            Read(config, names, headDimension, positions, Nested(config, byKind ? full : parameters)),
            Read(config, slidingNames, headDimension, positions, sliding is null ? [] : [(Parameters, sliding)]));
    }

    private static (string Name, ConfigObject Keys)[] Nested(ConfigObject config, ConfigObject? parameters) =>
        [.. new[] { (Scaling, config.Object(Scaling)!), (Parameters, parameters!) }.Where(item => item.Item2 is not null)];

    private static RotaryOptions Read(
        ConfigObject config, RotaryKeyNames names, int headDimension, int positions,
        (string Name, ConfigObject Keys)[] nested)
    {
        double? theta = Agree(config, nested, names.Theta, "rope_theta");
        double fraction = Agree(config, nested, names.Fraction, "partial_rotary_factor") ?? names.MissingFraction;
        int dimensions = fraction is > 0 and <= 1
            ? (int)(headDimension * fraction)
            : throw config.Error(
                names.Fraction.FirstOrDefault(config.Has) ?? "partial_rotary_factor",
                "must be larger than 0 and at most 1");
        var unscaled = new RotaryOptions { Dimensions = dimensions, Theta = theta ?? names.MissingTheta };
        int? Original() => config.OptionalInt("original_max_position_embeddings") ?? names.MissingOriginalContext;
        return ReadScaling(config, nested, item => RotaryScalingReader.Read(item, unscaled, positions, Original)) ?? unscaled;
    }

    private static double? Agree(
        ConfigObject config, (string Name, ConfigObject Keys)[] nested, IReadOnlyList<string> topLevel, string inner) =>
        Spellings.Agree(
        config,
        topLevel.Select(key => (key, config.OptionalNumber(key)))
            .Concat(nested.Select(item => ($"{item.Name}.{inner}", item.Keys.OptionalNumber(inner)))));

    private static RotaryOptions? ReadScaling(
        ConfigObject config, (string Name, ConfigObject Keys)[] nested, Func<ConfigObject, RotaryOptions?> read)
    {
        RotaryOptions[] named = [.. nested.Select(item => read(item.Keys)).OfType<RotaryOptions>()];
        return named.Distinct().Count() <= 1
            ? named.FirstOrDefault()
            : throw Spellings.Contradiction(config, Scaling, config.Text(Scaling), Parameters, config.Text(Parameters));
    }
}
