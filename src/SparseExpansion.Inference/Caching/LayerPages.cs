namespace SparseExpansion.Inference.Caching;

/// <summary>The pages of one layer of a sequence, by position.</summary>
/// <param name="layout">Form of the pages.</param>
/// <param name="window">A token sees this many, itself included; null: all before it.</param>
internal sealed class LayerPages(PageLayout layout, int? window)
{
    private nint[] _pages = [];

    /// <summary>Form of the pages.</summary>
    public PageLayout Layout { get; } = layout;

    /// <summary>A token sees this many, itself included; null: all before it.</summary>
    public int? Window { get; } = window;

    /// <summary>The first page that is there; those before it were released.</summary>
    public int First { get; private set; }

    /// <summary>The page after the last.</summary>
    public int End { get; private set; }

    /// <summary>The first position that is there.</summary>
    public int FirstPosition => First * Layout.Tokens;

    /// <summary>The address of the page with a position.</summary>
    public nint PageOf(int position) => _pages[position / Layout.Tokens];

    /// <summary>Pages that are missing until a sequence of a length has room.</summary>
    public int Missing(int length) => Math.Max(0, PagesFor(length) - End);

    /// <summary>Appends pages.</summary>
    public void Append(ReadOnlySpan<nint> pages)
    {
        if (_pages.Length < End + pages.Length)
        {
            Array.Resize(ref _pages, Math.Max(End + pages.Length, Math.Max(16, 2 * _pages.Length)));
        }

        pages.CopyTo(_pages.AsSpan(End));
        End += pages.Length;
    }

    /// <summary>Releases the pages that no token from <paramref name="position"/> on sees.</summary>
    public void ReleaseBefore(int position, PagePool pool)
    {
        int end = Math.Min(FirstSeenFrom(position) / Layout.Tokens, End);
        if (end > First)
        {
            pool.Return(_pages.AsSpan(First, end - First));
            First = end;
        }
    }

    /// <summary>Releases the pages after those of a sequence of a length.</summary>
    public void ReleaseAfter(int length, PagePool pool)
    {
        int end = Math.Max(PagesFor(length), First);
        if (end < End)
        {
            pool.Return(_pages.AsSpan(end, End - end));
            End = end;
        }
    }

    /// <summary>Releases all pages and starts anew.</summary>
    public void Clear(PagePool pool)
    {
        pool.Return(_pages.AsSpan(First, End - First));
        (First, End) = (0, 0);
    }

    /// <summary>The first position that the token at <paramref name="position"/> sees.</summary>
    public int FirstSeenFrom(int position) => Window is { } window ? Math.Max(0, position - window + 1) : 0;

    /// <summary>Writes keys and values of tokens.</summary>
    /// <param name="position">Position of the first.</param>
    /// <param name="count">Number of tokens.</param>
    /// <param name="keys">[tokens, heads · features], rotated where the model rotates.</param>
    /// <param name="values">Like <paramref name="keys"/>.</param>
    /// <param name="stride">Numbers from one token to the next in both.</param>
    public unsafe void Store(int position, int count, float* keys, float* values, nint stride)
    {
        PageLayout layout = Layout;
        for (int token = 0; token < count; token++, keys += stride, values += stride)
        {
            int slot = (position + token) % layout.Tokens;
            byte* page = (byte*)PageOf(position + token);
            for (int head = 0; head < layout.Heads; head++)
            {
                nint from = (nint)head * layout.Features;
                CacheNumbers.Write(
                    layout, keys + from, page + layout.Keys(head) + slot * layout.TokenBytes,
                    (float*)(page + layout.KeyScales(head)) + slot);
                CacheNumbers.Write(
                    layout, values + from, page + layout.Values(head) + slot * layout.TokenBytes,
                    (float*)(page + layout.ValueScales(head)) + slot);
            }
        }
    }

    private int PagesFor(int length) => (length + Layout.Tokens - 1) / Layout.Tokens;
}
