using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// Where the tokens of one forward pass go: their order by expert, and where each expert's tokens start in it.
/// Reference counted, because the linears of an input group share it.
/// </summary>
internal sealed class RoutingDecision
{
    private int _holders = 1;

    private RoutingDecision(Tensor order, Tensor inverse, long[] offsets)
    {
        Order = order;
        Inverse = inverse;
        Offsets = offsets;
    }

    /// <summary>int64 [tokens]: positions of the tokens, sorted by expert, stable.</summary>
    public Tensor Order { get; }

    /// <summary>int64 [tokens]: the inverse permutation of <see cref="Order"/>.</summary>
    public Tensor Inverse { get; }

    /// <summary>[experts + 1]: expert e has the tokens Order[Offsets[e] .. Offsets[e + 1]].</summary>
    public long[] Offsets { get; }

    /// <summary>Sorts tokens by their expert.</summary>
    /// <param name="experts">int64 [tokens], values in [0, expertCount).</param>
    /// <param name="expertCount">Number of experts.</param>
    public static RoutingDecision FromExperts(Tensor experts, int expertCount)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long[] counts = experts.bincount(null, expertCount).cpu().data<long>().ToArray();
        if (counts.Length != expertCount)
        {
            throw new SparseExpansionException(
                $"The router sent a token to expert {counts.Length - 1}, but there are only {expertCount} experts.");
        }

        var offsets = new long[expertCount + 1];
        for (int e = 0; e < expertCount; e++)
        {
            offsets[e + 1] = offsets[e] + counts[e];
        }

        (Tensor _, Tensor order) = experts.sort(dim: 0, descending: false, stable: true);
        Tensor inverse = empty_like(order);
        inverse.index_copy_(0, order, arange(order.shape[0], device: order.device));
        return new RoutingDecision(order.DetachFromDisposeScope(), inverse.DetachFromDisposeScope(), offsets);
    }

    /// <summary>Takes part in the decision until <see cref="Release"/>.</summary>
    public RoutingDecision Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    /// <summary>Gives up one hold; the last one frees the tensors.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Order.Dispose();
            Inverse.Dispose();
        }
    }
}
