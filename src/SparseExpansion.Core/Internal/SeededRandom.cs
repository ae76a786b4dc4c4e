namespace SparseExpansion.Internal;

/// <summary>Random numbers of a seed: the same on all machines and runs.</summary>
internal static class SeededRandom
{
    public static Random Create(long seed) => new(unchecked((int)(seed ^ (seed >> 32))));

    /// <summary>
    /// Brings a random choice of <paramref name="count"/> values to the front, in random order (Fisher and Yates).
    /// </summary>
    public static void ShuffleFront(Span<int> values, int count, Random random)
    {
        for (int i = 0; i < count; i++)
        {
            int other = random.Next(i, values.Length);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }
}
