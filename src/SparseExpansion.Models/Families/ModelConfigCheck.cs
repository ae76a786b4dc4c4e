
namespace SparseExpansion.Models.Families;

/// <summary>Holds the values of a configuration against each other.</summary>
internal static class ModelConfigCheck
{
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    public static void Require(ModelConfig config)
    {
        ModelFamilies.Of(config.ModelType);
        RequireSizes(config);
        RequireFactors(config);
        RequireExperts(config);
        foreach (LayerOptions layer in config.Layers)
        {
            RequireLayer(layer, config);
        }
    }

    private static void RequireLayer(LayerOptions layer, ModelConfig config)
    {
        if (layer.Rotary is { } rotary)
        {
            Require(
                rotary.Dimensions <= config.HeadDimension, rotary.Dimensions, nameof(rotary.Dimensions),
                $"Is {rotary.Dimensions}; a head has {config.HeadDimension} features.");
            rotary.Validate();
        }

        AtLeast(layer.Window ?? 1, 1, nameof(layer.Window));
        RequirePositive(layer.AttentionFactor, nameof(layer.AttentionFactor));
    }

    private static void RequireExperts(ModelConfig config)
    {
        if (config.Experts is not { } experts)
        {
            Require(
                !config.Layers.Any(layer => layer.HasExperts), true, nameof(LayerOptions.HasExperts),
                $"Is true for a layer, but {nameof(config.Experts)} is null.");
            return;
        }

        AtLeast(experts.Count, 1, nameof(experts.Count));
        AtLeast(experts.PerToken, 1, nameof(experts.PerToken));
        Require(
            experts.PerToken <= experts.Count, experts.PerToken, nameof(experts.PerToken),
            $"Is {experts.PerToken}; there are {experts.Count} experts.");
        AtLeast(experts.IntermediateSize, 1, nameof(experts.IntermediateSize));
    }

    private static void RequireSizes(ModelConfig config)
    {
        AtLeast(config.VocabularySize, 1, nameof(config.VocabularySize));
        AtLeast(config.HiddenSize, 1, nameof(config.HiddenSize));
        AtLeast(config.IntermediateSize, 1, nameof(config.IntermediateSize));
        AtLeast(config.LayerCount, 1, nameof(config.LayerCount));
        AtLeast(config.HeadCount, 1, nameof(config.HeadCount));
        AtLeast(config.KeyValueHeadCount, 1, nameof(config.KeyValueHeadCount));
        Require(
            config.HeadCount % config.KeyValueHeadCount == 0, config.KeyValueHeadCount, nameof(config.KeyValueHeadCount),
            $"Is {config.KeyValueHeadCount}, which does not divide {nameof(config.HeadCount)} {config.HeadCount}.");
        AtLeast(config.HeadDimension, 2, nameof(config.HeadDimension));
        AtLeast(config.MaxPositions, 1, nameof(config.MaxPositions));
        AtLeast(config.EmbeddingSize ?? 1, 1, nameof(config.EmbeddingSize));
        AtLeast(config.LearnedPositionOffset ?? 0, 0, nameof(config.LearnedPositionOffset));
    }

    private static void RequireFactors(ModelConfig config)
    {
        RequireNumber(config.NormEpsilon, double.IsFinite(config.NormEpsilon) && config.NormEpsilon >= 0, nameof(config.NormEpsilon), "of at least 0");
        RequirePositive(config.AttentionScale ?? 1, nameof(config.AttentionScale));
        RequirePositive(config.AttentionSoftCap ?? 1, nameof(config.AttentionSoftCap));
        RequirePositive(config.LogitSoftCap ?? 1, nameof(config.LogitSoftCap));
        RequirePositive(config.EmbeddingScale, nameof(config.EmbeddingScale));
        RequirePositive(config.ResidualScale, nameof(config.ResidualScale));
        RequirePositive(config.LogitScale, nameof(config.LogitScale));
    }

    private static void RequirePositive(double value, string name) =>
        RequireNumber(value, double.IsFinite(value) && value > 0, name, "larger than 0");

    private static void RequireNumber(double value, bool right, string name, string range) =>
        Require(right, value, name, $"Must be a number {range}.");

    private static void Require(bool right, object value, string name, string message)
    {
        if (!right)
        {
            throw new ArgumentOutOfRangeException(name, value, message);
        }
    }

    private static void AtLeast(int value, int least, string name) =>
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
}
