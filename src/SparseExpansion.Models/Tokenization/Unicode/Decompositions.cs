namespace SparseExpansion.Models.Tokenization.Unicode;

/// <summary>Data of each character for the normalization forms of Unicode (UAX #15).</summary>
internal sealed class Decompositions
{
    private readonly CodePointBytes _classes = new();
    private readonly CodePointBytes _changes = new();
    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int First, int Second), int> _composed = [];

    private Decompositions()
    {
        foreach (((int first, int last), byte value) in UnicodeTables.CombiningClasses())
        {
            _classes.Mark(first, last, value);
        }

        Dictionary<int, int[]> canonical = UnicodeTables.Mappings("canonical")
            .ToDictionary(item => item.From, item => item.To);
        Dictionary<int, int[]> compatible = UnicodeTables.Mappings("compatible")
            .ToDictionary(item => item.From, item => item.To);
        AddCompositions(canonical);
        AddMappings(canonical, compatible);
        Mark(
            Hangul.SyllableBase, Hangul.SyllableBase + Hangul.SyllableCount - 1,
            Changes.Decomposed | Changes.CompatiblyDecomposed);
        Mark(Hangul.VowelBase, Hangul.VowelBase + Hangul.VowelCount - 1, Changes.Composed | Changes.CompatiblyComposed);
        Mark(
            Hangul.TrailBase + 1, Hangul.TrailBase + Hangul.TrailCount - 1,
            Changes.Composed | Changes.CompatiblyComposed);
    }

    public static Lazy<Decompositions> Shared { get; } = new(() => new Decompositions());

    /// <summary>The canonical combining class.</summary>
    public byte ClassOf(int codePoint) => _classes[codePoint];

    /// <summary>The forms that change the character or, by what stands before it, may.</summary>
    public Changes ChangesOf(int codePoint) => (Changes)_changes[codePoint];

    /// <summary>Appends the full decomposition, not yet in canonical order.</summary>
    public void Decompose(int codePoint, bool compatible, List<int> result)
    {
        if (Hangul.IsSyllable(codePoint))
        {
            Hangul.Decompose(codePoint, result);
        }
        else if ((compatible && _compatible.TryGetValue(codePoint, out int[]? parts))
            || _canonical.TryGetValue(codePoint, out parts))
        {
            result.AddRange(parts);
        }
        else
        {
            result.Add(codePoint);
        }
    }

    /// <summary>The character that two compose to; null where they do not.</summary>
    public int? Compose(int first, int second) =>
        Hangul.Compose(first, second) ?? (_composed.TryGetValue((first, second), out int composed) ? composed : null);

    private void AddCompositions(Dictionary<int, int[]> canonical)
    {
        CodePointSet excluded = UnicodeTables.ExcludedFromComposition();
        foreach ((int code, int[] parts) in canonical)
        {
            bool primary = parts.Length == 2
                && !excluded.Contains(code)
                && ClassOf(code) == 0
                && ClassOf(parts[0]) == 0;
            if (primary)
            {
                _composed.Add((parts[0], parts[1]), code);
                Mark(parts[1], parts[1], Changes.Composed | Changes.CompatiblyComposed);
            }
            else
            {
                Mark(code, code, Changes.Composed | Changes.CompatiblyComposed);
            }
        }
    }

    private void AddMappings(Dictionary<int, int[]> canonical, Dictionary<int, int[]> compatible)
    {
        foreach (int code in canonical.Keys.Concat(compatible.Keys))
        {
            int[] narrow = [.. Expand(code, canonical, null)];
            int[] wide = [.. Expand(code, canonical, compatible)];
            Mark(code, code, Changes.CompatiblyDecomposed);
            if (canonical.ContainsKey(code))
            {
                _canonical.Add(code, narrow);
                bool joins = ChangesOf(narrow[0]).HasFlag(Changes.Composed);
                Mark(
                    code, code,
                    Changes.Decomposed | (joins ? Changes.Composed | Changes.CompatiblyComposed : Changes.None));
            }

            if (!narrow.SequenceEqual(wide))
            {
                _compatible.Add(code, wide);
                Mark(code, code, Changes.CompatiblyComposed);
            }
        }
    }

    private static IEnumerable<int> Expand(
        int code, Dictionary<int, int[]> canonical, Dictionary<int, int[]>? compatible) =>
        canonical.TryGetValue(code, out int[]? parts) || (compatible?.TryGetValue(code, out parts) ?? false)
            ? parts!.SelectMany(part => Expand(part, canonical, compatible))
            : [code];

    private void Mark(int first, int last, Changes changes) => _changes.Mark(first, last, (byte)changes);
}
