using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Caching;

/// <summary>
/// Keys and values of one layer, in buffers that are filled from the front. Without a window a full buffer doubles;
/// with one the tokens in reach move to the front, so that a buffer holds about twice the window.
/// </summary>
/// <param name="window">Tokens that a token sees, itself included; null means all before it.</param>
internal sealed class LayerCache(int? window) : IDisposable
{
    private readonly TokenBuffer _keys = new();
    private readonly TokenBuffer _values = new();

    /// <summary>Place in its sequence of the first token in the buffers.</summary>
    private long _first;

    /// <summary>Number of tokens in the buffers.</summary>
    private long _count;

    public int? Window => window;

    public long ByteCount => _keys.ByteCount + _values.ByteCount;

    /// <summary>Tokens before the next one that it sees.</summary>
    private long Reach => window is { } tokens ? Math.Min(_count, tokens - 1) : _count;

    /// <summary>Adds tokens and gives those that they may see, and their own.</summary>
    /// <exception cref="ArgumentException">The batch has another size than before.</exception>
    public (Tensor Keys, Tensor Values, long First) Append(Tensor keys, Tensor values)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long tokens = keys.size(2);
        long kept = Reach;
        _keys.RequireBatch(keys);
        long first = _first + _count - kept;
        if (window <= tokens)
        {
            // More than the next token can see: the buffers get the end of it.
            Tensor allKeys = _keys.Followed(_count - kept, kept, keys), allValues = _values.Followed(_count - kept, kept, values);
            long stays = Math.Min(kept + tokens, window.Value - 1);
            _keys.Reset(allKeys.narrow(2, kept + tokens - stays, stays));
            _values.Reset(allValues.narrow(2, kept + tokens - stays, stays));
            (_first, _count) = (first + kept + tokens - stays, stays);
            return (allKeys.MoveToOuterDisposeScope(), allValues.MoveToOuterDisposeScope(), first);
        }

        if (_count + tokens > _keys.Capacity)
        {
            long capacity = TokenBuffer.CapacityFor(kept + tokens);
            _keys.Move(_count - kept, kept, capacity, keys);
            _values.Move(_count - kept, kept, capacity, values);
            (_first, _count) = (first, kept);
        }

        _keys.Write(_count, keys);
        _values.Write(_count, values);
        _count += tokens;
        return (
            _keys.View(_count - kept - tokens, kept + tokens).MoveToOuterDisposeScope(),
            _values.View(_count - kept - tokens, kept + tokens).MoveToOuterDisposeScope(), first);
    }

    /// <summary>True if the tokens that a token after these would see are still there.</summary>
    public bool CanTruncate(long length)
    {
        long reach = window is { } tokens ? Math.Min(length, tokens - 1) : length;
        return length == _first + _count || reach == 0 || _first <= length - reach;
    }

    public void Truncate(long length) =>
        (_first, _count) = length < _first ? (length, 0) : (_first, length - _first);

    public void KeepRows(long[] rows)
    {
        _keys.KeepRows(rows);
        _values.KeepRows(rows);
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
        (_first, _count) = (0, 0);
    }
}
