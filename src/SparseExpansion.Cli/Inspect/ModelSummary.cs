namespace SparseExpansion.Cli.Inspect;

/// <summary>Result of <c>inspect</c>; its properties are those of the JSON output.</summary>
internal sealed record ModelSummary
{
    /// <summary>"model_type" of the checkpoint.</summary>
    public required string ModelType { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Blocks { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the feed-forward networks.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Number of key and value heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Number of token ids.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Longest sequence that the model supports.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>True if the output projection is the embedding matrix.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>True if there are mixtures of experts.</summary>
    public required bool Expanded { get; init; }

    /// <summary>Parameters of the model, including all experts and their zeros, without routers.</summary>
    public required long Parameters { get; init; }

    /// <summary>Parameters of the dense model: each mixture counts as one weight.</summary>
    public required long DenseParameters { get; init; }

    /// <summary>Stored parameters: non-zero weights of all experts, routers, and everything else.</summary>
    public required long StoredParameters { get; init; }

    /// <summary>
    /// Average parameters used by one token: non-zero weights of one expert, routers, and everything else.
    /// </summary>
    public required long ActiveParameters { get; init; }

    /// <summary>The linears that are dense, in the order of the model.</summary>
    public required IReadOnlyList<LinearSummary> Linears { get; init; }

    /// <summary>The embedding; its features are the width and the vocabulary.</summary>
    public required LinearSummary Embedding { get; init; }

    /// <summary>The linears that are mixtures, in the order of the model.</summary>
    public required IReadOnlyList<MixtureSummary> Mixtures { get; init; }

    /// <summary>Bytes of linears and routers.</summary>
    public required SizeTotals Totals { get; init; }

    /// <summary>Bytes that a token reads while a text is generated, and the speed that they allow.</summary>
    public required DecodingSummary Decoding { get; init; }
}
