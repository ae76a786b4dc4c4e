namespace SparseExpansion.Cli;

/// <summary>Bytes of all linears and routers; embeddings, norms and biases are not among them.</summary>
/// <param name="BytesOnDisk">In the files.</param>
/// <param name="Bytes">In memory.</param>
/// <param name="BytesPerToken">That one token reads, on average.</param>
/// <param name="DenseBytes">In memory if no linear were a mixture, all of which a token would read.</param>
/// <param name="RouterBytes">What of the first three the routers take.</param>
internal sealed record SizeTotals(long BytesOnDisk, long Bytes, long BytesPerToken, long DenseBytes, long RouterBytes);
