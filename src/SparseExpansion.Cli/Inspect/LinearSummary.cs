namespace SparseExpansion.Cli.Inspect;

/// <summary>A dense linear, or the embedding.</summary>
/// <param name="Name">Module path, which --targets matches against.</param>
/// <param name="InFeatures">Width of the input.</param>
/// <param name="OutFeatures">Width of the output.</param>
/// <param name="BytesOnDisk">Bytes of the weight in the file; 0 for a shared weight.</param>
/// <param name="Bytes">Bytes of the weight in memory, all of which a token reads.</param>
/// <param name="Bits">Bits of a weight; of a quantized one, of its codes in the file.</param>
internal sealed record LinearSummary(
    string Name, long InFeatures, long OutFeatures, long BytesOnDisk, long Bytes, int Bits);
