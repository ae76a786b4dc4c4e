using System.Buffers;
using System.Runtime.InteropServices;
using SparseExpansion.Execution.Tiling;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Tokens sorted by expert, in pooled arrays.</summary>
internal sealed class HostGroups : IDisposable
{
    private readonly int[] _order;
    private readonly int[] _offsets;
    private readonly int _tokenCount;

    private HostGroups(ReadOnlySpan<long> experts, int expertCount)
    {
        _tokenCount = experts.Length;
        _order = ArrayPool<int>.Shared.Rent(_tokenCount);
        _offsets = new int[expertCount + 1];
        TokenGrouping.Sort(experts, _order.AsSpan(0, _tokenCount), _offsets);
    }

    /// <summary>[tokens]: positions of the tokens, sorted by expert, stable.</summary>
    public ReadOnlySpan<int> Order => _order.AsSpan(0, _tokenCount);

    /// <summary>[experts + 1]: expert e has the tokens Order[Offsets[e] .. Offsets[e + 1]].</summary>
    public ReadOnlySpan<int> Offsets => _offsets;

    public static HostGroups Of(Tensor experts, int expertCount)
    {
        using var scope = NewDisposeScope();
        Tensor local = experts.cpu().contiguous();
        try
        {
            return new HostGroups(MemoryMarshal.Cast<byte, long>(local.bytes), expertCount);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new SparseExpansionException(
                $"The router sent a token to expert {e.ActualValue}, but it has only {expertCount} experts.", e);
        }
    }

    public void Dispose() => ArrayPool<int>.Shared.Return(_order);
}
