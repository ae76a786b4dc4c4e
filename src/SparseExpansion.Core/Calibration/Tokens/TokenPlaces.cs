namespace SparseExpansion.Calibration.Tokens;

/// <summary>Places of tokens that are numbered through several parts.</summary>
internal sealed class TokenPlaces
{
    private readonly long[] _starts;

    /// <param name="counts">Tokens of each part; may be 0.</param>
    public TokenPlaces(IReadOnlyList<long> counts)
    {
        _starts = new long[counts.Count + 1];
        for (int i = 0; i < counts.Count; i++)
        {
            _starts[i + 1] = _starts[i] + counts[i];
        }
    }

    /// <summary>Tokens of all parts.</summary>
    public long TokenCount => _starts[^1];

    /// <summary>The part of each token, its row there, and its position among the indices.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public (int Part, long Row, int Position)[] Find(ReadOnlySpan<long> indices)
    {
        var found = new (int, long, int)[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= TokenCount)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), indices[i], $"There are {TokenCount} tokens.");
            }

            int part = PartOf(indices[i]);
            found[i] = (part, indices[i] - _starts[part], i);
        }

        return found;
    }

    private int PartOf(long index)
    {
        int found = Array.BinarySearch(_starts, index);
        int part = found >= 0 ? found : ~found - 1;
        while (_starts[part + 1] == index)
        {
            part++; // Empty parts share their start with the next one.
        }

        return part;
    }
}
