using SparseExpansion.Execution;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>The way back through packed experts.</summary>
internal static class PackedGradients
{
    /// <summary>
    /// From the gradient of the outputs, [tokens, out_features], to that of the tokens: gradient · weight, one dense
    /// expert at a time.
    /// </summary>
    /// <param name="experts">The packed weights.</param>
    /// <param name="groups">The experts of the tokens; copied, as it may be gone when gradients are asked for.</param>
    public static Func<Tensor, Tensor> Of(PackedWeight[] experts, HostGroups groups)
    {
        long[] order = Array.ConvertAll(groups.Order.ToArray(), token => (long)token);
        int[] offsets = groups.Offsets.ToArray();
        return gradient =>
        {
            using var scope = NewDisposeScope();
            Tensor places = tensor(order, device: CPU), sorted = gradient.index_select(0, places);
            var shares = new List<Tensor>();
            for (int e = 0; e < experts.Length; e++)
            {
                if (offsets[e + 1] > offsets[e])
                {
                    using Tensor dense = experts[e].Unpack(), weight = dense.to(gradient.dtype);
                    shares.Add(sorted.narrow(0, offsets[e], offsets[e + 1] - offsets[e]).matmul(weight));
                }
            }

            return cat(shares, 0).index_select(0, places.argsort(0)).MoveToOuterDisposeScope();
        };
    }
}
