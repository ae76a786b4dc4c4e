namespace SparseExpansion.Cli.Inspect;

/// <summary>Bytes of all linears and routers, without embeddings, norms and biases.</summary>
/// <param name="BytesOnDisk">Bytes in the files.</param>
/// <param name="Bytes">Bytes in memory.</param>
/// <param name="BytesPerToken">Average bytes that one token reads.</param>
/// <param name="DenseBytes">Bytes in memory if all linears were dense, all of which a token would read.</param>
/// <param name="RouterBytes">Bytes of the routers, contained in the first three.</param>
internal sealed record SizeTotals(long BytesOnDisk, long Bytes, long BytesPerToken, long DenseBytes, long RouterBytes);
