namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>A byte for each character, 0 unless marked; memory is taken for pages with marks only.</summary>
internal sealed class CodePointBytes
{
    private const int PageBits = 8;
    private const int PageMask = (1 << PageBits) - 1;
    private readonly byte[]?[] _pages = new byte[(CodePointSet.Last >> PageBits) + 1][];

    /// <summary>The byte of a character.</summary>
    public byte this[int codePoint] => _pages[codePoint >> PageBits]?[codePoint & PageMask] ?? 0;

    /// <summary>Adds bits to the bytes of all characters from the first to the last.</summary>
    public void Mark(int first, int last, byte bits)
    {
        for (int code = first; code <= last; code++)
        {
            byte[] page = _pages[code >> PageBits] ??= new byte[PageMask + 1];
            page[code & PageMask] |= bits;
        }
    }
}
