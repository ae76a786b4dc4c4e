using SparseExpansion.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Masked attention over heads, the same for every architecture.</summary>
internal static class CausalAttention
{
    /// <summary>softmax(q kᵀ / sqrt(d) + mask) v.</summary>
    /// <param name="queries">[batch, heads, tokens, features]: the last tokens of the sequence.</param>
    /// <param name="keys">[batch, key heads, all tokens, features].</param>
    /// <param name="values">Like <paramref name="keys"/>.</param>
    /// <param name="window">Number of tokens that a token sees, itself included; null means all before it.</param>
    /// <returns>[batch, tokens, heads · features].</returns>
    public static Tensor Attend(Tensor queries, Tensor keys, Tensor values, int? window)
    {
        using var scope = NewDisposeScope();
        long tokens = queries.size(2);
        long total = keys.size(2);
        long group = queries.size(1) / keys.size(1);
        bool windowed = window < total;
        bool square = tokens == total && !windowed;
        Tensor? mask = square || (tokens == 1 && !windowed)
            ? null
            : Mask(tokens, total, windowed ? window : null, queries.device);
        Tensor mixed = functional.scaled_dot_product_attention(
            queries, Repeat(keys, group), Repeat(values, group), attn_mask: mask!, p: 0, is_casual: square);
        return mixed.transpose(1, 2).reshape(queries.size(0), tokens, -1).MoveToOuterDisposeScope();
    }

    /// <summary>[batch, tokens, heads · features] to [batch, heads, tokens, features].</summary>
    public static Tensor SplitHeads(Tensor projected, int heads)
    {
        using var scope = NewDisposeScope();
        return projected.view(projected.size(0), projected.size(1), heads, -1).transpose(1, 2)
            .MoveToOuterDisposeScope();
    }

    /// <summary>True where query i, the (total − tokens + i)-th token, sees key j.</summary>
    private static Tensor Mask(long tokens, long total, int? window, Device device)
    {
        using var scope = NewDisposeScope();
        Tensor query = arange(Scalars.Of(total - tokens), Scalars.Of(total), Scalars.Of(1), dtype: int64, device: device).unsqueeze(1);
        Tensor distance = query - TensorArithmetic.Range(total, int64, device);
        Tensor mask = distance >= Scalars.Of(0);
        return (window is null ? mask : mask & (distance < Scalars.Of(window.Value))).MoveToOuterDisposeScope();
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
