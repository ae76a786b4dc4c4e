using SparseExpansion.Execution;
using SparseExpansion.Models.Families;

namespace SparseExpansion.Models;

/// <summary>
/// The architecture of a causal language model, as a choice of parts, independent of how its checkpoint spells it.
/// Defaults are those of Llama.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>
    /// "model_type" of the checkpoint, such as "llama" or "qwen3"; decides the names of modules and parameters.
    /// </summary>
    public required string ModelType { get; init; }

    /// <summary>Number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the dense feed-forward networks.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Features of one head.</summary>
    public required int HeadDimension { get; init; }

    /// <summary>Longest sequence the model was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>The blocks in order: positions, window and kind of feed-forward network of each.</summary>
    public required IReadOnlyList<LayerOptions> Layers { get; init; }

    /// <summary>Number of blocks.</summary>
    public int LayerCount => Layers.Count;

    /// <summary>The places of the norms. Default <see cref="BlockLayout.PreNorm"/>.</summary>
    public BlockLayout Layout { get; init; }

    /// <summary>Kind of the norms. Default <see cref="NormKind.Rms"/>.</summary>
    public NormKind Norm { get; init; }

    /// <summary>True if the norms have biases.</summary>
    public bool NormBias { get; init; }

    /// <summary>Added to the variance in every norm. Default 1e-6.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>True (default) if a norm stands before the output projection.</summary>
    public bool HasFinalNorm { get; init; } = true;

    /// <summary>Norms of queries and keys. Default none.</summary>
    public QueryKeyNorm QueryKeyNorm { get; init; }

    /// <summary>
    /// Learned position embeddings: the first row of the table that is a position; the rows before it are unused. Null
    /// (default) means that there are none.
    /// </summary>
    public int? LearnedPositionOffset { get; init; }

    /// <summary>
    /// Width of the token embeddings where it is not <see cref="HiddenSize"/>: projections lead from one to the other.
    /// Default null.
    /// </summary>
    public int? EmbeddingSize { get; init; }

    /// <summary>Non-linearity of the feed-forward networks. Default SiLU.</summary>
    public ActivationKind Activation { get; init; } = ActivationKind.Silu;

    /// <summary>True (default) for down(act(gate x) · up x), false for down(act(up x)).</summary>
    public bool HasGate { get; init; } = true;

    /// <summary>The experts of layers with <see cref="LayerOptions.HasExperts"/>. Default null.</summary>
    public ExpertRouting? Experts { get; init; }

    /// <summary>True if the query, key and value projections have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>True if the attention's output projection has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>True if the feed-forward projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>True if the output projection has a bias.</summary>
    public bool HeadBias { get; init; }

    /// <summary>Factor of the attention's scores. Default null: 1 / sqrt(head features).</summary>
    public double? AttentionScale { get; init; }

    /// <summary>Scores s of the attention become c · tanh(s / c). Default null: they stay.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>Logits l become c · tanh(l / c). Default null: they stay.</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>Factor of the token embeddings. Default 1.</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>Factor of what attention and feed-forward network add to the residual stream. Default 1.</summary>
    public double ResidualScale { get; init; } = 1;

    /// <summary>Factor of the logits. Default 1.</summary>
    public double LogitScale { get; init; } = 1;

    /// <summary>True if the output projection is the embedding matrix.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Standard deviation of weights in a model made from scratch. Default 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The id that starts a document, if the model has one.</summary>
    public int? BosId { get; init; }

    /// <summary>The ids that end a document; the first is the one that texts are ended with. May be empty.</summary>
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>Type of the weights in the checkpoint, if it says so.</summary>
    public ElementType? DType { get; init; }

    /// <summary>The model types that the library has a description of, in ordinal order.</summary>
    public static IReadOnlyList<string> SupportedTypes => ModelFamilies.Types;

    /// <summary>
    /// Patterns of the module paths of the linears in feed-forward networks, such as "*.mlp.*".
    /// </summary>
    public IReadOnlyList<string> FeedForwardPatterns => ModelFamilies.Of(ModelType).Names.FeedForwardPatterns;

    /// <summary>
    /// Reads <c>config.json</c> of a checkpoint folder, and the end-of-text ids of <c>generation_config.json</c> if
    /// there is one.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face layout.</param>
    /// <exception cref="CheckpointException"> A file is missing or malformed, or a key has a value that the library
    /// does not support; the message names file and key.
    /// </exception>
    public static ModelConfig Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return ModelConfigReader.Load(folder);
    }

    /// <summary>Checks that the values fit each other.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    public void Validate() => ModelConfigCheck.Require(this);
}
