namespace SparseExpansion.Analysis.Correlations;

/// <summary>Spearman's rank correlation of two measures, with its bootstrap interval.</summary>
/// <param name="First">Name of one measure.</param>
/// <param name="Second">Name of the other.</param>
/// <param name="Count">Neurons.</param>
/// <param name="Coefficient">ρ in [−1, 1], ties by mean ranks; NaN where a measure is constant.</param>
/// <param name="Lower">Lower end of the percentile interval; NaN where ρ is.</param>
/// <param name="Upper">Upper end of the percentile interval; NaN where ρ is.</param>
public sealed record RankCorrelationResult(
    string First, string Second, int Count, double Coefficient, double Lower, double Upper);
