namespace SparseExpansion.Inference.Decoder;

/// <summary>The norms of a block; those that its layout does not have are null.</summary>
/// <param name="Attention">Before the attention; where norms come last, after it.</param>
/// <param name="AfterAttention">Of the attention's results.</param>
/// <param name="FeedForward">Before the feed-forward network; where norms come last, after it.</param>
/// <param name="AfterFeedForward">Of the feed-forward network's results.</param>
internal sealed record BlockNorms(Norm? Attention, Norm? AfterAttention, Norm? FeedForward, Norm? AfterFeedForward);
