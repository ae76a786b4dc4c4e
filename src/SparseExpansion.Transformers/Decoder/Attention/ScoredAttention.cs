using SparseExpansion.Tensors;
using SparseExpansion.Transformers.Decoder.Passes;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Attention;

/// <summary>softmax(scores of queries and keys) · values, over heads.</summary>
internal static class ScoredAttention
{
    /// <summary>softmax(q kᵀ / sqrt(d) + mask) v; with a soft cap c the scores s become c · tanh(s / c).</summary>
    /// <param name="queries">[batch, heads, tokens, features]: the last tokens of the sequence.</param>
    /// <param name="keys">[batch, key heads, keys, features].</param>
    /// <param name="values">Like <paramref name="keys"/>.</param>
    /// <param name="mask">Which keys the queries see.</param>
    /// <param name="softCap">c, or null.</param>
    /// <returns>[batch, tokens, heads · features].</returns>
    public static Tensor Attend(Tensor queries, Tensor keys, Tensor values, AttentionMask mask, double? softCap)
    {
        using var scope = NewDisposeScope();
        long group = queries.size(1) / keys.size(1);
        (keys, values) = (Repeat(keys, group), Repeat(values, group));
        Tensor mixed = softCap is { } cap
            ? Capped(queries, keys, values, mask, cap)
            : functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask: mask.Matrix!, p: 0, is_casual: mask.IsCausal);
        return mixed.transpose(1, 2).reshape(queries.size(0), queries.size(2), -1).MoveToOuterDisposeScope();
    }

    /// <summary>[batch, tokens, heads · features] to [batch, heads, tokens, features].</summary>
    public static Tensor SplitHeads(Tensor projected, int heads)
    {
        using var scope = NewDisposeScope();
        return projected.view(projected.size(0), projected.size(1), heads, -1).transpose(1, 2)
            .MoveToOuterDisposeScope();
    }

    private static Tensor Capped(Tensor queries, Tensor keys, Tensor values, AttentionMask mask, double cap)
    {
        double scale = 1 / (Math.Sqrt(queries.size(-1)) * cap);
        Tensor scores = (queries.matmul(keys.transpose(-1, -2)) * Scalars.Of(scale)).tanh() * Scalars.Of(cap);
        Tensor? seen = mask.IsCausal
            ? ones([queries.size(2), keys.size(2)], dtype: ScalarType.Bool, device: queries.device).tril()
            : mask.Matrix;
        scores = seen is null ? scores : scores.masked_fill(seen.logical_not(), Scalars.Of(double.NegativeInfinity));
        return functional.softmax(scores, -1, float32).to(queries.dtype).matmul(values);
    }

    /// <summary>Grouped-query attention: each key head serves several neighboring query heads.</summary>
    private static Tensor Repeat(Tensor heads, long times)
    {
        if (times == 1)
        {
            return heads;
        }

        using var scope = NewDisposeScope();
        (long batch, long count, long tokens, long features) =
            (heads.size(0), heads.size(1), heads.size(2), heads.size(3));
        return heads.unsqueeze(2).expand(batch, count, times, tokens, features)
            .reshape(batch, count * times, tokens, features).MoveToOuterDisposeScope();
    }
}
