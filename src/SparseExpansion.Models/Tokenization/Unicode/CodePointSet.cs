namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>An immutable set of code points, as ranges in order with gaps between them.</summary>
internal sealed class CodePointSet
{
    public const int Last = 0x10FFFF;
    public static readonly CodePointSet Empty = new([]);
    public static readonly CodePointSet All = Of(0, Last);

    private CodePointSet((int First, int Last)[] ranges) => Ranges = ranges;

    public IReadOnlyList<(int First, int Last)> Ranges { get; }

    public bool IsEmpty => Ranges.Count == 0;

    public static CodePointSet Of(int first, int last) => new([(first, last)]);

    public static CodePointSet Of(int codePoint) => Of(codePoint, codePoint);

    public static CodePointSet Of(params IEnumerable<int> codePoints) =>
        FromRanges(codePoints.Select(code => (code, code)));

    /// <param name="ranges">Ranges in any order, which may overlap.</param>
    public static CodePointSet FromRanges(IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach ((int first, int last) in ranges.Order())
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
            {
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            }
            else
            {
                merged.Add((first, last));
            }
        }

        return merged.Count == 0 ? Empty : new([.. merged]);
    }

    public static CodePointSet Union(params IEnumerable<CodePointSet> sets) =>
        FromRanges(sets.SelectMany(set => set.Ranges));

    public CodePointSet Intersect(CodePointSet other) => Union(Complement(), other.Complement()).Complement();

    public CodePointSet Except(CodePointSet other) => Union(Complement(), other).Complement();

    public CodePointSet Complement()
    {
        var gaps = new List<(int First, int Last)>(Ranges.Count + 1);
        int next = 0;
        foreach ((int first, int last) in Ranges)
        {
            if (first > next)
            {
                gaps.Add((next, first - 1));
            }

            next = last + 1;
        }

        if (next <= Last)
        {
            gaps.Add((next, Last));
        }

        return gaps.Count == 0 ? Empty : new([.. gaps]);
    }

    public bool Contains(int codePoint)
    {
        int low = 0;
        int high = Ranges.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (codePoint < Ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (codePoint > Ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }
}
