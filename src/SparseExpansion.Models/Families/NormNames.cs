namespace SparseExpansion.Models.Families;

/// <summary>Names of the norms of a block; those that a <see cref="BlockLayout"/> does not have are unused.</summary>
internal sealed record NormNames
{
    /// <summary>Before the attention.</summary>
    public string Attention { get; init; } = "input_layernorm";

    /// <summary>After the attention.</summary>
    public string AfterAttention { get; init; } = "post_attention_layernorm";

    /// <summary>Before the feed-forward network.</summary>
    public string FeedForward { get; init; } = "post_attention_layernorm";

    /// <summary>After the feed-forward network.</summary>
    public string AfterFeedForward { get; init; } = "post_feedforward_layernorm";
}
