namespace SparseExpansion.Execution.Tiling;

/// <summary>Sorts tokens by expert with a stable counting sort.</summary>
internal static class TokenGrouping
{
    /// <summary>
    /// After the call the tokens of expert e are order[offsets[e]] …
    /// order[offsets[e + 1] − 1], by rising token number.
    /// </summary>
    /// <param name="experts">[tokens] expert of each token.</param>
    /// <param name="order">[tokens] receives token numbers.</param>
    /// <param name="offsets">[expert count + 1] receives positions in <paramref name="order"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An expert number is negative or too large.</exception>
    public static void Sort(ReadOnlySpan<long> experts, Span<int> order, Span<int> offsets)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(order.Length, experts.Length, nameof(order));
        ArgumentOutOfRangeException.ThrowIfLessThan(offsets.Length, 1, nameof(offsets));
        int expertCount = offsets.Length - 1;
        offsets.Clear();
        foreach (long expert in experts)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(expert, nameof(experts));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(expert, expertCount, nameof(experts));
            offsets[(int)expert + 1]++;
        }

        for (int expert = 1; expert <= expertCount; expert++)
        {
            offsets[expert] += offsets[expert - 1];
        }

        // offsets[e] runs from the start of e to the start of e + 1 while tokens
        // are placed, then everything moves back by one.
        for (int token = 0; token < experts.Length; token++)
        {
            order[offsets[(int)experts[token]]++] = token;
        }

        for (int expert = expertCount; expert > 0; expert--)
        {
            offsets[expert] = offsets[expert - 1];
        }

        offsets[0] = 0;
    }
}
