namespace SparseExpansion.Models.Configuration;

/// <summary>
/// How the configurations of a model type spell what every decoder has, and what a missing key means there. Defaults
/// are those of Llama.
/// </summary>
internal sealed record DecoderKeys
{
    /// <summary>Width of the residual stream.</summary>
    public string HiddenSize { get; init; } = "hidden_size";

    /// <summary>Width inside of the feed-forward networks.</summary>
    public string IntermediateSize { get; init; } = "intermediate_size";

    /// <summary>Intermediate over hidden size where the file has no number; null means that it must have one.</summary>
    public int? IntermediateFactor { get; init; }

    /// <summary>Number of blocks.</summary>
    public string LayerCount { get; init; } = "num_hidden_layers";

    /// <summary>Number of query heads.</summary>
    public string HeadCount { get; init; } = "num_attention_heads";

    /// <summary>Longest sequence.</summary>
    public string MaxPositions { get; init; } = "max_position_embeddings";

    /// <summary>True if query heads may share key heads.</summary>
    public bool SharesKeyHeads { get; init; } = true;

    /// <summary>True if a file without a number of key heads has one for every query head.</summary>
    public bool KeyHeadsMayBeMissing { get; init; }

    /// <summary>Features of a head in files that do not say; null means that heads share the hidden size.</summary>
    public int? HeadDimension { get; init; }

    /// <summary>ε of the norms; its value where it is missing.</summary>
    public (string Key, double Missing) NormEpsilon { get; init; } = ("rms_norm_eps", 1e-6);

    /// <summary>The non-linearity; its value where it is missing.</summary>
    public (string Key, string Missing) Activation { get; init; } = ("hidden_act", "silu");

    /// <summary>Rotary positions; null where the type has none.</summary>
    public RotaryKeyNames? Rotary { get; init; } = new();

    /// <summary>True if a file without the key ties embeddings and output projection.</summary>
    public bool TiesWordEmbeddings { get; init; }
}
