namespace SparseExpansion.Execution.Expanded;

/// <summary>One dense weight in <c>expansion.json</c> that is stored in codes: that of a linear or an embedding.</summary>
/// <param name="Name">Module path of the linear or embedding.</param>
/// <param name="OutFeatures">Rows.</param>
/// <param name="InFeatures">Columns.</param>
/// <param name="Bits">Bits of a code: 2, 3, 4 or 8.</param>
/// <param name="GroupSize">Columns that share a scale: 64 or 128; 0 for a scale a row.</param>
internal sealed record ExpandedQuantizedEntry(string Name, long OutFeatures, long InFeatures, int Bits, int GroupSize);
