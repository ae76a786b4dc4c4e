namespace SparseExpansion.Models.Families;

/// <summary>
/// Names of modules in the checkpoints of a model type; a parameter's name is the path of its module and
/// <c>weight</c> or <c>bias</c>. Defaults are those of Llama, which most types share.
/// </summary>
internal sealed record ModuleNames
{
    /// <summary>Path of the module that holds everything but the output projection.</summary>
    public string Root { get; init; } = "model";

    /// <summary>Token embeddings, below <see cref="Root"/>.</summary>
    public string Embedding { get; init; } = "embed_tokens";

    /// <summary>Learned position embeddings, below <see cref="Root"/>.</summary>
    public string Positions { get; init; } = "embed_positions";

    /// <summary>Projection from the embeddings' width to that of the residual stream.</summary>
    public string ProjectIn { get; init; } = "project_in";

    /// <summary>Projection back to the embeddings' width.</summary>
    public string ProjectOut { get; init; } = "project_out";

    /// <summary>The list of blocks, below <see cref="Root"/>.</summary>
    public string Layers { get; init; } = "layers";

    /// <summary>The norm after the last block.</summary>
    public string FinalNorm { get; init; } = "norm";

    /// <summary>The output projection.</summary>
    public string Head { get; init; } = "lm_head";

    /// <summary>Norms of a block.</summary>
    public NormNames Norms { get; init; } = new();

    /// <summary>Attention, below its block.</summary>
    public string Attention { get; init; } = "self_attn";

    /// <summary>Modules of the attention.</summary>
    public AttentionNames AttentionParts { get; init; } = new();

    /// <summary>
    /// Feed-forward network, below its block; empty where its linears stand in the block itself.
    /// </summary>
    public string FeedForward { get; init; } = "mlp";

    /// <summary>Modules of a dense feed-forward network.</summary>
    public FeedForwardNames FeedForwardParts { get; init; } = new();

    /// <summary>Router of a mixture of experts, below <see cref="FeedForward"/>.</summary>
    public string Router { get; init; } = "gate";

    /// <summary>List of experts, below <see cref="FeedForward"/>.</summary>
    public string Experts { get; init; } = "experts";

    /// <summary>Modules of an expert.</summary>
    public FeedForwardNames ExpertParts { get; init; } = new();

    /// <summary>True if the weights of the blocks' linears are stored [inputs, outputs].</summary>
    public bool StoresTransposed { get; init; }

    /// <summary>The first segment of <see cref="Root"/>: files of the model without its head leave it out.</summary>
    public string Prefix => Root.Split('.')[0] + ".";

    /// <summary>Name of the embedding's weight.</summary>
    public string EmbeddingWeight => $"{Root}.{Embedding}.weight";

    /// <summary>Name of the output projection's weight.</summary>
    public string HeadWeight => $"{Head}.weight";

    /// <summary>Patterns of the paths of all linears in feed-forward networks.</summary>
    public IReadOnlyList<string> FeedForwardPatterns => FeedForward.Length > 0
        ? [$"*.{FeedForward}.*"]
        : [.. FeedForwardParts.Linears.Select(name => $"*.{Layers}.*.{name}")];

    /// <summary>True if a parameter of the model stands in the file transposed.</summary>
    /// <param name="name">Name of the parameter.</param>
    public bool IsTransposed(string name) => StoresTransposed
        && name.StartsWith($"{Root}.{Layers}.", StringComparison.Ordinal)
        && FeedForwardParts.Linears.Concat(AttentionParts.Linears)
            .Any(linear => name.EndsWith($".{linear}.weight", StringComparison.Ordinal));
}
