namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>
/// A text in symbols that are joined with their neighbors; a symbol keeps the number of its first part.
/// </summary>
/// <param name="text">The text.</param>
internal sealed class MergedSymbols(string text)
{
    private const int None = -1;

    private readonly List<Symbol> _symbols = new(text.Length);

    /// <summary>Number of symbols at the start.</summary>
    public int Count => _symbols.Count;

    /// <summary>Appends a symbol.</summary>
    /// <param name="start">Its position in the text.</param>
    /// <param name="length">Its characters.</param>
    /// <param name="isFixed">True if it is never joined.</param>
    public void Add(int start, int length, bool isFixed)
    {
        if (_symbols.Count > 0)
        {
            _symbols[^1] = _symbols[^1] with { Next = _symbols.Count };
        }

        _symbols.Add(new Symbol(start, length, _symbols.Count - 1, None, isFixed));
    }

    /// <summary>Characters of a symbol; 0 if it has been joined to the one before it.</summary>
    public int Length(int symbol) => _symbols[symbol].Length;

    /// <summary>Characters of a symbol and the next one; 0 if they cannot be joined.</summary>
    public int PairLength(int left)
    {
        Symbol first = _symbols[left];
        if (first.Length == 0 || first.Next == None || first.IsFixed || _symbols[first.Next].IsFixed)
        {
            return 0;
        }

        return first.Length + _symbols[first.Next].Length;
    }

    /// <summary>The text of a symbol and the next one; empty if they cannot be joined.</summary>
    public ReadOnlySpan<char> PairText(int left) => text.AsSpan(_symbols[left].Start, PairLength(left));

    /// <summary>The symbol before another, if there is one.</summary>
    public int? Before(int symbol) => _symbols[symbol].Previous == None ? null : _symbols[symbol].Previous;

    /// <summary>Joins a symbol and the next one.</summary>
    public void Join(int left)
    {
        Symbol first = _symbols[left];
        Symbol second = _symbols[first.Next];
        _symbols[first.Next] = second with { Length = 0 };
        _symbols[left] = first with { Length = first.Length + second.Length, Next = second.Next };
        if (second.Next != None)
        {
            _symbols[second.Next] = _symbols[second.Next] with { Previous = left };
        }
    }

    /// <summary>Start and length of the symbols that are left.</summary>
    public IEnumerable<(int Start, int Length)> Remaining() =>
        _symbols.Where(symbol => symbol.Length > 0).Select(symbol => (symbol.Start, symbol.Length));

    private readonly record struct Symbol(int Start, int Length, int Previous, int Next, bool IsFixed);
}
