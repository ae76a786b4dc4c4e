namespace SparseExpansion.Pruning.Refit;

/// <summary>
/// A report of the exact refit of the rows of a weight; see <see cref="RefitExtensions.WithRefit"/>.
/// </summary>
/// <param name="Rows">Rows that have the exact least-squares weights on their support now.</param>
/// <param name="DoublePrecisionRows">Those of them that only float64 could solve.</param>
/// <param name="KeptRows">
/// Rows left as the inner pruner made them: their normal equations are singular in float64, or rounding leaves the
/// solution no better.
/// </param>
public sealed record RefitReport(long Rows, long DoublePrecisionRows, long KeptRows) : PruningDiagnostic;
