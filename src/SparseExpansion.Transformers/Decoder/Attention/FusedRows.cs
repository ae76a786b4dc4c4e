using SparseExpansion.Models;
using SparseExpansion.Models.Families;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers.Decoder.Attention;

/// <summary>Takes queries, keys and values out of the rows of one fused projection.</summary>
internal static class FusedRows
{
    /// <summary>Splits [batch, tokens, rows] into [batch, heads, tokens, features] for queries, keys, values.</summary>
    public static (Tensor Queries, Tensor Keys, Tensor Values) Split(Tensor rows, ModelConfig config, FusedLayout layout)
    {
        int width = config.HeadDimension;
        if (layout == FusedLayout.ByHead)
        {
            Tensor heads = ScoredAttention.SplitHeads(rows, config.HeadCount);
            return (heads.narrow(-1, 0, width), heads.narrow(-1, width, width), heads.narrow(-1, 2 * width, width));
        }

        long queries = (long)config.HeadCount * width, keys = (long)config.KeyValueHeadCount * width;
        return (
            ScoredAttention.SplitHeads(rows.narrow(-1, 0, queries), config.HeadCount),
            ScoredAttention.SplitHeads(rows.narrow(-1, queries, keys), config.KeyValueHeadCount),
            ScoredAttention.SplitHeads(rows.narrow(-1, queries + keys, keys), config.KeyValueHeadCount));
    }
}
