using System.Buffers;
using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// Where the tokens of one forward pass go: their order by expert, and where each expert's tokens start in it.
/// Reference counted, because the linears of an input group share it.
/// </summary>
internal sealed class RoutingDecision
{
    private readonly Lock _tensorsLock = new();
    private readonly int[] _order;
    private readonly int[] _offsets;
    private readonly int _tokenCount;
    private readonly Device _device;
    private (Tensor Order, Tensor Inverse)? _tensors;
    private int _holders = 1;

    private RoutingDecision(ReadOnlySpan<long> experts, int expertCount, Device device)
    {
        _tokenCount = experts.Length;
        _device = device;
        _order = ArrayPool<int>.Shared.Rent(_tokenCount);
        _offsets = new int[expertCount + 1];
        try
        {
            TokenGrouping.Sort(experts, _order.AsSpan(0, _tokenCount), _offsets);
        }
        catch (ArgumentOutOfRangeException e)
        {
            ArrayPool<int>.Shared.Return(_order);
            throw new SparseExpansionException($"The router sent a token to expert {e.ActualValue}, but it has only {expertCount} experts.", e);
        }
    }

    /// <summary>[tokens]: positions of the tokens, sorted by expert, stable.</summary>
    public ReadOnlySpan<int> Order => _order.AsSpan(0, _tokenCount);

    /// <summary>[experts + 1]: expert e has the tokens Order[Offsets[e] .. Offsets[e + 1]].</summary>
    public ReadOnlySpan<int> Offsets => _offsets;

    /// <summary>Sorts tokens by their expert. On CUDA this is the one transfer to the host in a group's forward pass.</summary>
    /// <param name="experts">int64 [tokens], values in [0, expertCount).</param>
    /// <param name="expertCount">Number of experts.</param>
    public static RoutingDecision FromExperts(Tensor experts, int expertCount)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor local = experts.cpu().contiguous();
        return new RoutingDecision(MemoryMarshal.Cast<byte, long>(local.bytes), expertCount, experts.device);
    }

    /// <summary><see cref="Order"/> and its inverse permutation as int64 [tokens] on the device of the tokens; they belong to the decision.</summary>
    public (Tensor Order, Tensor Inverse) AsTensors()
    {
        lock (_tensorsLock)
        {
            return _tensors ??= CreateTensors();
        }
    }

    /// <summary>Takes part in the decision until <see cref="Release"/>.</summary>
    public RoutingDecision Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    /// <summary>Gives up one hold; the last one frees everything.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            ArrayPool<int>.Shared.Return(_order);
            _tensors?.Order.Dispose();
            _tensors?.Inverse.Dispose();
        }
    }

    private (Tensor Order, Tensor Inverse) CreateTensors()
    {
        long[] order = new long[_tokenCount];
        long[] inverse = new long[_tokenCount];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = _order[i];
            inverse[_order[i]] = i;
        }

        return (tensor(order, device: _device).DetachFromDisposeScope(), tensor(inverse, device: _device).DetachFromDisposeScope());
    }
}
