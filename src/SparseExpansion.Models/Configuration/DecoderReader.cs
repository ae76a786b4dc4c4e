namespace SparseExpansion.Models.Configuration;

/// <summary>Reads the sizes that every decoder has; a family adds what is its own.</summary>
internal static class DecoderReader
{
    /// <summary>Far more than any model has; each takes memory before a weight is read.</summary>
    private const int MostLayers = 1 << 16;

    /// <summary>Reads the keys that are common to all model types.</summary>
    /// <param name="config">The top level of config.json.</param>
    /// <param name="keys">Their spelling.</param>
    /// <returns>A model of equal blocks, all of which attend to all tokens.</returns>
    public static ModelConfig Read(ConfigObject config, DecoderKeys keys)
    {
        int hidden = config.RequiredInt(keys.HiddenSize);
        int heads = config.RequiredInt(keys.HeadCount);
        int headDimension = ReadHeadDimension(config, keys, hidden, heads);
        int positions = config.RequiredInt(keys.MaxPositions);
        RotaryOptions? rotary = keys.Rotary is { } names
            ? RotaryReader.Read(config, names, headDimension, positions)
            : null;
        return new ModelConfig
        {
            ModelType = config.RequiredString("model_type"),
            VocabularySize = config.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = ReadIntermediateSize(config, keys, hidden),
            HeadCount = heads,
            KeyValueHeadCount = ReadKeyHeads(config, keys, heads),
            HeadDimension = headDimension,
            MaxPositions = LongestSequence(positions, rotary),
            Layers = LayerOptions.Repeat(ReadLayerCount(config, keys), rotary),
            NormEpsilon = config.OptionalNumber(keys.NormEpsilon.Key) ?? keys.NormEpsilon.Missing,
            Activation = ActivationReader.Read(config, keys.Activation.Key, keys.Activation.Missing),
            TieWordEmbeddings = config.Bool("tie_word_embeddings", keys.TiesWordEmbeddings),
        };
    }

    /// <summary>A base that grows with the sequence is there for sequences longer than the configuration says.</summary>
    private static int LongestSequence(int positions, RotaryOptions? rotary) =>
        rotary?.Scaling == RotaryScaling.Dynamic ? (int)Math.Min(positions * rotary.Factor, int.MaxValue) : positions;

    private static int ReadHeadDimension(ConfigObject config, DecoderKeys keys, int hidden, int heads) =>
        config.OptionalInt("head_dim")
        ?? (config.Contains("head_dim") ? null : keys.HeadDimension)
        ?? (hidden % heads == 0
            ? hidden / heads
            : throw config.Error(keys.HeadCount, $"is {heads}, which does not divide {keys.HiddenSize} {hidden}"));

    private static int ReadIntermediateSize(ConfigObject config, DecoderKeys keys, int hidden) =>
        keys.IntermediateFactor is { } factor
            ? config.OptionalInt(keys.IntermediateSize) ?? Times(factor, hidden, config, keys.HiddenSize)
            : config.RequiredInt(keys.IntermediateSize);

    private static int Times(int factor, int size, ConfigObject config, string key) =>
        (long)factor * size is <= int.MaxValue and var product
            ? (int)product
            : throw config.Error(key, $"is {size}, which is more than this library can compute with");

    private static int ReadLayerCount(ConfigObject config, DecoderKeys keys) =>
        config.RequiredInt(keys.LayerCount) is <= MostLayers and var count
            ? count
            : throw config.Error(keys.LayerCount, $"must be at most {MostLayers}");

    /// <summary>
    /// Null means a head of its own for every query; a file without the key means it for some types only.
    /// </summary>
    private static int ReadKeyHeads(ConfigObject config, DecoderKeys keys, int heads)
    {
        const string Key = "num_key_value_heads";
        if (!keys.SharesKeyHeads)
        {
            config.RequireSame(Key, heads);
            return heads;
        }

        return config.OptionalInt(Key)
            ?? (keys.KeyHeadsMayBeMissing || config.Contains(Key) ? heads : throw config.Error(Key, "is missing"));
    }
}
