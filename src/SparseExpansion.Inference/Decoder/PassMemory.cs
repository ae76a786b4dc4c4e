namespace SparseExpansion.Inference.Decoder;

/// <summary>The buffers of a <see cref="DecoderPass"/>.</summary>
internal enum PassMemory
{
    /// <summary>The residual stream.</summary>
    Hidden,

    /// <summary>Hidden states after a norm.</summary>
    Normed,

    /// <summary>The outputs of an attention or a feed-forward network.</summary>
    Branch,

    /// <summary>Queries, keys and values of each token, side by side.</summary>
    Heads,

    /// <summary>Rows of a fused projection that are not in that order.</summary>
    FusedHeads,

    /// <summary>Values mixed by attention.</summary>
    Mixed,

    /// <summary>Between the projections of a feed-forward network.</summary>
    Inner,

    /// <summary>Probabilities of a model's own experts.</summary>
    Probabilities,

    /// <summary>Tokens of one expert.</summary>
    ExpertInput,

    /// <summary>Their results.</summary>
    ExpertOutput,

    /// <summary>Embeddings of another width than the residual stream.</summary>
    Embeddings,

    /// <summary>Tokens that logits are asked of.</summary>
    Last,

    /// <summary>Logits.</summary>
    Logits,
}
