using SparseExpansion.Execution.Memory;

namespace SparseExpansion.Inference.Caching;

/// <summary>
/// Pages for the caches of all sequences of a model, up to a number of bytes. Memory is taken from the system when it
/// is needed, several pages at a time, and kept for other sequences. Thread-safe.
/// </summary>
internal sealed unsafe class PagePool : IDisposable
{
    // Few calls of the system, and room for huge pages of 2 MB.
    private const long SlabBytes = 8L * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly List<NativeBuffer> _slabs = [];
    private nint[] _free = [];
    private int _freeCount;
    private int _allocated;
    private bool _disposed;

    /// <summary>A pool without pages yet.</summary>
    /// <param name="layout">Form of the pages.</param>
    /// <param name="budgetBytes">The most bytes that pages may take.</param>
    /// <exception cref="ArgumentOutOfRangeException">The budget is below one page, or the layout is wrong.</exception>
    public PagePool(PageLayout layout, long budgetBytes)
    {
        layout.Validate();
        if (budgetBytes < layout.Bytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(budgetBytes), budgetBytes,
                $"One page of {layout.Tokens} tokens needs {layout.Bytes} bytes. Raise the cache's budget.");
        }

        Layout = layout;
        BudgetBytes = budgetBytes;
        Capacity = (int)Math.Min(budgetBytes / layout.Bytes, Array.MaxLength);
    }

    /// <summary>Form of the pages.</summary>
    public PageLayout Layout { get; }

    /// <summary>The most bytes that pages may take.</summary>
    public long BudgetBytes { get; }

    /// <summary>Pages within the budget.</summary>
    public int Capacity { get; }

    /// <summary>Pages that memory was taken for.</summary>
    public int Allocated
    {
        get
        {
            lock (_lock)
            {
                return _allocated;
            }
        }
    }

    /// <summary>Pages that sequences have.</summary>
    public int InUse
    {
        get
        {
            lock (_lock)
            {
                return _allocated - _freeCount;
            }
        }
    }

    /// <summary>Takes pages, all or none.</summary>
    /// <param name="pages">Receives their addresses; the contents are undefined.</param>
    /// <returns>False if the budget has not so many left.</returns>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    public bool TryTake(Span<nint> pages)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (pages.Length > Capacity - _allocated + _freeCount)
            {
                return false;
            }

            while (_freeCount < pages.Length)
            {
                Grow();
            }

            _freeCount -= pages.Length;
            _free.AsSpan(_freeCount, pages.Length).CopyTo(pages);
            return true;
        }
    }

    /// <summary>Gives pages back.</summary>
    public void Return(ReadOnlySpan<nint> pages)
    {
        lock (_lock)
        {
            pages.CopyTo(_free.AsSpan(_freeCount));
            _freeCount += pages.Length;
            FreeUnused();
        }
    }

    /// <summary>Frees the memory, now or when the last sequence gives its pages back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            FreeUnused();
        }
    }

    private void Grow()
    {
        long pageBytes = Layout.Bytes;
        int count = (int)Math.Clamp(SlabBytes / pageBytes, 1, Capacity - _allocated);
        if (_free.Length < _allocated + count)
        {
            Array.Resize(ref _free, Math.Min(Math.Max(_allocated + count, 2 * _free.Length), Capacity));
        }

        var slab = new NativeBuffer();
        byte* memory = slab.Reserve((nuint)(count * pageBytes));
        _slabs.Add(slab);
        for (int i = 0; i < count; i++)
        {
            _free[_freeCount++] = (nint)(memory + i * pageBytes);
        }

        _allocated += count;
    }

    private void FreeUnused()
    {
        if (!_disposed || _freeCount < _allocated)
        {
            return;
        }

        _slabs.ForEach(slab => slab.Dispose());
        _slabs.Clear();
        _free = [];
        (_freeCount, _allocated) = (0, 0);
    }
}
