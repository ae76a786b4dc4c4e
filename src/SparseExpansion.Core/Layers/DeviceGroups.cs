using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Tokens sorted by expert, as tensors on their device.</summary>
/// <param name="order">int64 [tokens]: positions of the tokens, sorted by expert, stable.</param>
/// <param name="inverse">int64 [tokens]: the inverse permutation.</param>
/// <param name="ends">int32 [experts]: where each expert's tokens end in <paramref name="order"/>.</param>
internal sealed class DeviceGroups(Tensor order, Tensor inverse, Tensor ends) : IDisposable
{
    /// <summary>Positions of the tokens, sorted by expert.</summary>
    public Tensor Order => order;

    /// <summary>The position of each token among the sorted ones.</summary>
    public Tensor Inverse => inverse;

    /// <summary>The end of each expert's tokens.</summary>
    public Tensor Ends => ends;

    /// <summary>Sorts by sums and scatters of known shape: nothing here has to wait for a GPU.</summary>
    public static DeviceGroups Of(Tensor experts, int expertCount)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        (_, Tensor order) = experts.sort(dim: 0, descending: false, stable: true);
        Tensor inverse = empty_like(order);
        inverse.index_copy_(0, order, TensorArithmetic.Range(order.shape[0], device: order.device));
        Tensor counts = zeros(expertCount, ScalarType.Int64, experts.device)
            .index_add_(0, experts, ones_like(experts), Scalars.Of(1));
        Tensor ends = counts.cumsum(0).to(ScalarType.Int32);
        return new DeviceGroups(
            order.DetachFromDisposeScope(), inverse.DetachFromDisposeScope(), ends.DetachFromDisposeScope());
    }

    /// <summary>The same for tokens on the CPU, from groups that were sorted there already.</summary>
    public static DeviceGroups Of(HostGroups groups)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        int[] order = groups.Order.ToArray();
        var inverse = new long[order.Length];
        for (int place = 0; place < order.Length; place++)
        {
            inverse[order[place]] = place;
        }

        return new DeviceGroups(
            tensor(Array.ConvertAll(order, token => (long)token), device: CPU).DetachFromDisposeScope(),
            tensor(inverse, device: CPU).DetachFromDisposeScope(),
            tensor(groups.Offsets[1..].ToArray(), device: CPU).DetachFromDisposeScope());
    }

    public void Dispose()
    {
        Order.Dispose();
        Inverse.Dispose();
        Ends.Dispose();
    }
}
