using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Caching;

/// <summary>A tensor [batch, heads, capacity, features] that is filled from the front.</summary>
internal sealed class TokenBuffer : IDisposable
{
    private const long Least = 64;

    private Tensor? _tensor;

    /// <summary>Tokens that there is room for.</summary>
    public long Capacity => _tensor?.size(2) ?? 0;

    public long ByteCount => _tensor is null ? 0 : _tensor.numel() * _tensor.element_size();

    /// <summary>Room for so many tokens and as many again.</summary>
    public static long CapacityFor(long tokens) => Math.Max(Least, 2 * tokens);

    /// <exception cref="ArgumentException">The batch has another size than before.</exception>
    public void RequireBatch(Tensor newest)
    {
        if (_tensor is not null && _tensor.size(0) != newest.size(0))
        {
            throw new ArgumentException(
                $"The cache holds a batch of {_tensor.size(0)} sequences; the input has {newest.size(0)}.");
        }
    }

    /// <summary>Some of the tokens, as a view.</summary>
    public Tensor View(long start, long tokens) => _tensor!.narrow(2, start, tokens);

    /// <summary>Some of the tokens and new ones behind them, in a tensor of their own.</summary>
    public Tensor Followed(long start, long tokens, Tensor newest) =>
        tokens == 0 ? newest.clone() : cat([View(start, tokens), newest], 2);

    /// <summary>Puts tokens in the place of all that is there.</summary>
    public void Reset(Tensor tokens)
    {
        long capacity = CapacityFor(tokens.size(2));
        if (_tensor is null || Capacity < capacity)
        {
            Replace(capacity, tokens);
        }

        Write(0, tokens);
    }

    /// <summary>Moves some of the tokens to the front, into a larger buffer where the room is too small.</summary>
    /// <param name="start">The first of them.</param>
    /// <param name="tokens">Their number.</param>
    /// <param name="capacity">Room that is needed.</param>
    /// <param name="like">Gives shape, dtype and device.</param>
    public void Move(long start, long tokens, long capacity, Tensor like)
    {
        Tensor? kept = tokens > 0 ? View(start, tokens).clone() : null;
        if (Capacity < capacity)
        {
            Replace(capacity, like);
        }

        if (kept is not null)
        {
            Write(0, kept);
        }
    }

    /// <summary>Writes tokens from a place on.</summary>
    public void Write(long start, Tensor tokens) => View(start, tokens.size(2)).copy_(tokens);

    public void KeepRows(long[] rows)
    {
        if (_tensor is { } all)
        {
            using Tensor index = tensor(rows, device: all.device);
            _tensor = all.index_select(0, index).DetachFromDisposeScope();
            all.Dispose();
        }
    }

    public void Dispose()
    {
        _tensor?.Dispose();
        _tensor = null;
    }

    private void Replace(long capacity, Tensor like)
    {
        Tensor? before = _tensor;
        _tensor = empty([like.size(0), like.size(1), capacity, like.size(3)], like.dtype, like.device)
            .DetachFromDisposeScope();
        before?.Dispose();
    }
}
