namespace SparseExpansion.Inference.Caching;

/// <summary>
/// Keys and values of one sequence in all layers. A step of the decoder: <see cref="Reserve"/> room for the new tokens,
/// <see cref="Store"/> theirs layer by layer, and <see cref="Advance"/>. Used by one thread at a time.
/// </summary>
internal sealed class SequenceCache : IDisposable
{
    private readonly PagePool _pool;
    private readonly LayerPages[] _layers;
    private readonly int _undo;
    private nint[] _taken = [];
    private bool _disposed;

    /// <summary>An empty cache without pages.</summary>
    /// <param name="pool">Gives the pages; outlives the cache or is disposed before it, both are fine.</param>
    /// <param name="windows">The window of each layer; null: none.</param>
    /// <param name="undo">Tokens that <see cref="Truncate"/> can always take back; layers with windows keep so many
    /// more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A window is not positive, or undo is negative.</exception>
    public SequenceCache(PagePool pool, IReadOnlyList<int?> windows, int undo = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(undo);
        foreach (int? window in windows)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(window ?? 1, nameof(windows));
        }

        _pool = pool;
        _undo = undo;
        _layers = [.. windows.Select(window => new LayerPages(pool.Layout, window))];
    }

    /// <summary>Tokens whose keys and values are there.</summary>
    public int Length { get; private set; }

    /// <summary>Tokens that there is room for.</summary>
    public int Reserved { get; private set; }

    /// <summary>The pages of a layer.</summary>
    public LayerPages Layer(int layer) => _layers[layer];

    /// <summary>Makes room for new tokens; all layers or none.</summary>
    /// <param name="tokens">Their number.</param>
    /// <exception cref="SparseExpansionException">The pool's budget has not enough pages left.</exception>
    public void Reserve(int tokens)
    {
        if (!TryReserve(tokens))
        {
            throw new SparseExpansionException(
                $"The cache of keys and values is full: {tokens} more tokens after {Length} need {Missing(Length + tokens)} pages of {_pool.Layout.Tokens} tokens, {_pool.Capacity - _pool.InUse} of {_pool.Capacity} are free ({_pool.BudgetBytes} bytes in all). Raise the cache's budget, choose a smaller format of it, shorten the sequence, or run fewer sequences at a time.");
        }
    }

    /// <summary>Makes room for new tokens, or returns false and changes nothing.</summary>
    /// <param name="tokens">Their number.</param>
    public bool TryReserve(int tokens)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        int length = checked(Length + tokens), missing = Missing(length);
        if (missing > 0)
        {
            if (_taken.Length < missing)
            {
                _taken = new nint[missing];
            }

            if (!_pool.TryTake(_taken.AsSpan(0, missing)))
            {
                return false;
            }

            int next = 0;
            foreach (LayerPages layer in _layers)
            {
                int count = layer.Missing(length);
                layer.Append(_taken.AsSpan(next, count));
                next += count;
            }
        }

        Reserved = Math.Max(Reserved, length);
        return true;
    }

    /// <summary>Writes keys and values of new tokens of one layer, from position <see cref="Length"/> on.</summary>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="count">Number of tokens, reserved before.</param>
    /// <param name="keys">[count, heads · features] float32, rotated where the model rotates.</param>
    /// <param name="values">Like <paramref name="keys"/>.</param>
    /// <param name="stride">Numbers from one token to the next in both.</param>
    /// <exception cref="InvalidOperationException">There is no room for so many tokens.</exception>
    public unsafe void Store(int layer, int count, float* keys, float* values, nint stride)
    {
        RequireReserved(count);
        _layers[layer].Store(Length, count, keys, values, stride);
    }

    /// <summary>
    /// Counts tokens whose keys and values were stored in all layers; gives back pages that nobody sees any more.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no room for so many tokens.</exception>
    public void Advance(int tokens)
    {
        RequireReserved(tokens);
        Length += tokens;
        foreach (LayerPages layer in _layers)
        {
            layer.ReleaseBefore(Math.Max(0, Length - _undo), _pool);
        }
    }

    /// <summary>Forgets the tokens from a position on, and what was reserved.</summary>
    /// <param name="length">Tokens to keep.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many tokens.</exception>
    /// <exception cref="InvalidOperationException">The next token would see positions that a layer's window has
    /// given back already.</exception>
    public void Truncate(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        if (length == 0)
        {
            Clear();
            return;
        }

        if (!CanTruncate(length))
        {
            throw new InvalidOperationException(
                $"The cache has {Length} tokens and cannot go back to {length}: layers with windows have given back positions that the next token would see. Go back by at most {_undo} tokens, or start anew from 0.");
        }

        foreach (LayerPages layer in _layers)
        {
            layer.ReleaseAfter(length, _pool);
        }

        (Length, Reserved) = (length, length);
    }

    /// <summary>True if <see cref="Truncate"/> can go back to a length: every layer still has what the next token sees.</summary>
    public bool CanTruncate(int length)
    {
        foreach (LayerPages layer in _layers)
        {
            if (layer.FirstPosition > layer.FirstSeenFrom(length))
            {
                return length == 0;
            }
        }

        return true;
    }

    /// <summary>Gives all pages back.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            Clear();
            _disposed = true;
        }
    }

    private void Clear()
    {
        foreach (LayerPages layer in _layers)
        {
            layer.Clear(_pool);
        }

        (Length, Reserved) = (0, 0);
    }

    private int Missing(int length)
    {
        int missing = 0;
        foreach (LayerPages layer in _layers)
        {
            missing += layer.Missing(length);
        }

        return missing;
    }

    private void RequireReserved(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        if (Length + tokens > Reserved)
        {
            throw new InvalidOperationException(
                $"{tokens} tokens after {Length} were not reserved; there is room until {Reserved}. Call {nameof(Reserve)} first.");
        }
    }
}
