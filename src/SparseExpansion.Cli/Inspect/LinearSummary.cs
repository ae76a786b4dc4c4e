namespace SparseExpansion.Cli.Inspect;

/// <summary>A dense linear.</summary>
/// <param name="Name">Module path, which --targets matches against.</param>
/// <param name="InFeatures">Width of the input.</param>
/// <param name="OutFeatures">Width of the output.</param>
/// <param name="BytesOnDisk">Bytes of the weight in the file; 0 for a shared weight.</param>
/// <param name="Bytes">Bytes of the weight in memory, all of which a token reads.</param>
internal sealed record LinearSummary(string Name, long InFeatures, long OutFeatures, long BytesOnDisk, long Bytes);
