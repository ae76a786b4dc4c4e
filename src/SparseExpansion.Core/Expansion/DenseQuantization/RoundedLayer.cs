namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>A dense weight that was rounded.</summary>
/// <param name="Name">Module path.</param>
/// <param name="OutFeatures">Rows; of embeddings, the vocabulary.</param>
/// <param name="InFeatures">Columns.</param>
/// <param name="Bits">Bits of a code.</param>
/// <param name="GroupSize">Columns that share a scale; null for a scale a row.</param>
/// <param name="Bytes">Bytes of codes, scales and zero points.</param>
/// <param name="OutputError">Relative output error ‖X(W − Q)ᵀ‖² / ‖XWᵀ‖² on the calibration tokens; null where
/// none reached the weight, and for embeddings that are no output projection.</param>
public sealed record RoundedLayer(
    string Name, long OutFeatures, long InFeatures, int Bits, int? GroupSize, long Bytes, double? OutputError);
