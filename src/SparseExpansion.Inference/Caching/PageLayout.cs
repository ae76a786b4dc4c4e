using SparseExpansion.Execution;

namespace SparseExpansion.Inference.Caching;

/// <summary>
/// A page: keys and values of some consecutive tokens of one layer. For every head: its keys [tokens, features], its
/// values [tokens, features], and with <see cref="CacheFormat.Int8"/> the scales of both [tokens] float32; each starts
/// at a multiple of 64 bytes.
/// </summary>
/// <param name="Heads">Key and value heads.</param>
/// <param name="Features">Numbers of a head.</param>
/// <param name="Format">Form of the numbers.</param>
/// <param name="Tokens">Tokens of a page.</param>
internal readonly record struct PageLayout(int Heads, int Features, CacheFormat Format, int Tokens = PageLayout.UsualTokens)
{
    /// <summary>Tokens of a page unless somebody says otherwise.</summary>
    public const int UsualTokens = 64;

    private const int Alignment = 64;

    /// <summary>Bytes of a stored number.</summary>
    public int NumberBytes => Format switch
    {
        CacheFormat.Float32 => sizeof(float),
        CacheFormat.BFloat16 => ElementTypes.SizeOf(ElementType.BFloat16),
        _ => sizeof(sbyte),
    };

    /// <summary>Bytes from one token's key to the next one's.</summary>
    public nint TokenBytes => (nint)Features * NumberBytes;

    /// <summary>Bytes of a page.</summary>
    public long Bytes => (long)HeadBytes * Heads;

    private bool HasScales => Format == CacheFormat.Int8;

    private nint NumbersBytes => Aligned(Tokens * TokenBytes);

    private nint ScalesBytes => HasScales ? Aligned((nint)Tokens * sizeof(float)) : 0;

    private nint HeadBytes => 2 * (NumbersBytes + ScalesBytes);

    /// <summary>Offset of the keys of a head.</summary>
    public nint Keys(int head) => head * HeadBytes;

    /// <summary>Offset of the values of a head.</summary>
    public nint Values(int head) => Keys(head) + NumbersBytes;

    /// <summary>Offset of the scales of a head's keys.</summary>
    public nint KeyScales(int head) => Keys(head) + (2 * NumbersBytes);

    /// <summary>Offset of the scales of a head's values.</summary>
    public nint ValueScales(int head) => KeyScales(head) + ScalesBytes;

    /// <summary>Checks the sizes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or the format is unknown.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Heads, nameof(Heads));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Features, nameof(Features));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Tokens, nameof(Tokens));
        if (!Enum.IsDefined(Format))
        {
            throw new ArgumentOutOfRangeException(nameof(Format), Format, "The format of the cache is unknown.");
        }
    }

    private static nint Aligned(nint bytes) => (bytes + Alignment - 1) & ~(nint)(Alignment - 1);
}
