using SparseExpansion.Execution;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Models;

/// <summary>The architecture of a causal language model, independent of how its checkpoint spells it.</summary>
public sealed record ModelConfig
{
    /// <summary>Block structure.</summary>
    public required ModelArchitecture Architecture { get; init; }

    /// <summary>"model_type" of the checkpoint, such as "llama" or "qwen2".</summary>
    public required string ModelType { get; init; }

    /// <summary>Number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward networks.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Features of one head.</summary>
    public required int HeadDimension { get; init; }

    /// <summary>Longest sequence the model was made for, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Rotary position embeddings.</summary>
    public required RotaryOptions Rotary { get; init; }

    /// <summary>Added to the variance in every norm. Default 1e-6.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Non-linearity of the feed-forward networks. Default SiLU.</summary>
    public ActivationKind Activation { get; init; } = ActivationKind.Silu;

    /// <summary>True if the query, key and value projections have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>True if the attention's output projection has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>True if the feed-forward projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>A token attends to this many tokens, itself included; null means to all before it.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>GPT-NeoX: attention and feed-forward network read the same residual. Default true.</summary>
    public bool ParallelResidual { get; init; } = true;

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

    /// <summary>Checks that the sizes fit each other.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the exception names the
    /// property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(VocabularySize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HiddenSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(IntermediateSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(LayerCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HeadCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(KeyValueHeadCount, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(HeadCount % KeyValueHeadCount, 0, nameof(KeyValueHeadCount));
        ArgumentOutOfRangeException.ThrowIfLessThan(HeadDimension, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPositions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Rotary.Dimensions, HeadDimension);
        Rotary.Validate();
        if (!double.IsFinite(NormEpsilon) || NormEpsilon < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(NormEpsilon), NormEpsilon, "Must be a number of at least 0.");
        }

        if (SlidingWindow is < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(SlidingWindow), SlidingWindow, "Must be at least 1, or null.");
        }
    }
}
