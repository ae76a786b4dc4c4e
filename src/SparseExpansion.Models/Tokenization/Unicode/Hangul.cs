namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>Korean syllables are composed by arithmetic (The Unicode Standard, section 3.12).</summary>
internal static class Hangul
{
    public const int SyllableBase = 0xAC00;
    public const int VowelBase = 0x1161;
    public const int VowelCount = 21;

    /// <summary>One before the first trailing consonant: none is the first case.</summary>
    public const int TrailBase = 0x11A7;
    public const int TrailCount = 28;
    public const int SyllableCount = LeadCount * VowelCount * TrailCount;
    private const int LeadBase = 0x1100;
    private const int LeadCount = 19;

    public static bool IsSyllable(int codePoint) => codePoint is >= SyllableBase and < SyllableBase + SyllableCount;

    public static void Decompose(int syllable, List<int> result)
    {
        int index = syllable - SyllableBase;
        result.Add(LeadBase + (index / (VowelCount * TrailCount)));
        result.Add(VowelBase + (index / TrailCount % VowelCount));
        if (index % TrailCount is > 0 and int trail)
        {
            result.Add(TrailBase + trail);
        }
    }

    public static int? Compose(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + LeadCount && second is >= VowelBase and < VowelBase + VowelCount)
        {
            return SyllableBase + ((((first - LeadBase) * VowelCount) + second - VowelBase) * TrailCount);
        }

        bool open = IsSyllable(first) && (first - SyllableBase) % TrailCount == 0;
        return open && second is > TrailBase and < TrailBase + TrailCount ? first + second - TrailBase : null;
    }
}
