using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Passes;

/// <summary>The keys that the queries see.</summary>
/// <param name="Matrix">True where a query sees a key: [tokens, keys] or [batch, 1, tokens, keys]; null: see
/// <see cref="IsCausal"/>.</param>
/// <param name="IsCausal">Without a matrix: true if query i sees the first i + 1 keys, false if all see all.</param>
internal readonly record struct AttentionMask(Tensor? Matrix, bool IsCausal = false)
{
    /// <summary>Every query sees every key.</summary>
    public static AttentionMask All { get; } = new(null);

    /// <summary>As many queries as keys, each of which sees those before it and its own.</summary>
    public static AttentionMask Causal { get; } = new(null, true);
}
