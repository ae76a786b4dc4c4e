namespace SparseExpansion.Execution.Dispatch;

/// <summary>Two numbers of panels that are timed in place of all.</summary>
/// <param name="Few">The smaller number.</param>
/// <param name="More">The larger one; the same where there are no more.</param>
/// <param name="All">All panels of the weight.</param>
internal readonly record struct PanelSample(int Few, int More, int All)
{
    // 2^26 products take a millisecond or less, and the shorter a run the better its chance to be undisturbed. Few
    // tokens are timed on all panels, since what counts is the speed of memory.
    private const long Products = 1L << 26;

    /// <summary>The numbers for a weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="round">Panels that are worked on at the same time, by all threads.</param>
    public static PanelSample Of(PackedWeight weight, int tokens, long round)
    {
        // Whole rounds of slices: with fewer, more panels would take no more time,
        // and the line through both times would be flat.
        int all = weight.Layout.PanelCount;
        long panelProducts = (long)weight.Layout.PanelRows * weight.Columns * tokens;
        int few = (int)Math.Min(Math.Max(Products / panelProducts / round, 1) * round, all);
        return new PanelSample(few, Math.Min(2 * few, all), all);
    }

    /// <summary>The time for all panels: on a straight line through both times, which noise may not make fall.</summary>
    public double Total(double fewTime, double moreTime) =>
        More == Few ? fewTime : fewTime + Math.Max(moreTime - fewTime, 0) / (More - Few) * (All - Few);
}
