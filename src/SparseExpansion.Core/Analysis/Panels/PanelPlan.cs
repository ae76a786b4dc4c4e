namespace SparseExpansion.Analysis.Panels;

/// <summary>
/// The cuts of an analysis that keep it within its memory. A panel of neurons holds its outputs for all tokens; the
/// tokens pass by in chunks once a panel; a slice of the panel's rows is sorted at a time.
/// </summary>
/// <param name="PanelNeurons">Neurons whose outputs are held.</param>
/// <param name="SliceNeurons">Neurons sorted at a time.</param>
/// <param name="ChunkTokens">Tokens multiplied at a time.</param>
/// <param name="Bytes">Bound of the working memory.</param>
internal sealed record PanelPlan(int PanelNeurons, int SliceNeurons, int ChunkTokens, long Bytes)
{
    /// <summary>
    /// Bytes a sorted element takes: its copy, the sorted value, torch's index,
    /// and host copies of values from other devices.
    /// </summary>
    private const long SortBytes = 24;

    /// <summary>More rows at a time sort no faster.</summary>
    private const long MostSliceBytes = 128L << 20;

    /// <summary>Number of panels, and so of passes over the tokens.</summary>
    public static int Panels(int neurons, int panelNeurons) => (neurons + panelNeurons - 1) / panelNeurons;

    /// <summary>Plans an analysis.</summary>
    /// <param name="size">The sizes of the analysis.</param>
    /// <param name="budgetBytes">Memory that may be used.</param>
    /// <param name="mostChunkTokens">Tokens multiplied at a time, at most.</param>
    /// <exception cref="SparseExpansionException">The budget does not hold the outputs of one neuron.</exception>
    public static PanelPlan Create(AnalysisSize size, long budgetBytes, int mostChunkTokens)
    {
        for (int chunk = (int)Math.Min(mostChunkTokens, size.Tokens); chunk > 0; chunk /= 2)
        {
            if (TryCreate(size, budgetBytes, chunk) is { } plan)
            {
                return plan;
            }
        }

        throw new SparseExpansionException(
            $"Layer '{size.Layer}': the outputs of one neuron over {size.Tokens} tokens take about "
            + $"{size.FixedBytes + (size.Maps * (SortBytes + 4) * size.Tokens)} bytes to analyze, "
            + $"more than {nameof(AnalysisOptions)}.{nameof(AnalysisOptions.MemoryBudgetBytes)} = {budgetBytes}. "
            + $"Raise it, or set {nameof(AnalysisOptions.SampleTokens)}.");
    }

    private static PanelPlan? TryCreate(AnalysisSize size, long budget, int chunk)
    {
        long sliceRowBytes = SortBytes * size.Maps * size.Tokens;
        int slice = (int)Math.Clamp(Math.Min(budget / 8, MostSliceBytes) / sliceRowBytes, 1, size.Neurons);

        // The chunk itself and its tokens ordered by expert.
        long fixedBytes = size.FixedBytes + (slice * sliceRowBytes) + (2L * sizeof(float) * chunk * size.InFeatures);

        // Held outputs, weights, and a chunk's outputs with the parts they are put together from.
        long neuronBytes = sizeof(float)
            * ((size.Maps * size.Tokens) + ((long)size.Weights * size.InFeatures) + (2L * chunk));
        long most = (budget - fixedBytes) / neuronBytes;
        if (most < 1)
        {
            return null;
        }

        int panels = Panels(size.Neurons, (int)Math.Min(most, size.Neurons));
        int panel = (size.Neurons + panels - 1) / panels;
        return new PanelPlan(panel, Math.Min(slice, panel), chunk, fixedBytes + (panel * neuronBytes));
    }
}
