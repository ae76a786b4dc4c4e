namespace SparseExpansion.Cli.Inspect;

/// <summary>Bytes that one token reads while a text is generated, as they are stored, and what that allows.</summary>
/// <param name="BytesPerToken">All of it.</param>
/// <param name="ExpertBytes">Average bytes of one expert in every mixture.</param>
/// <param name="HeadBytes">Bytes of the output projection, the embedding matrix where it is tied.</param>
/// <param name="DenseBytes">Bytes of everything else that is dense: linears, norms, biases, routers.</param>
/// <param name="EmbeddingRowBytes">Bytes of one row of the embedding.</param>
/// <param name="ReadBytesPerSecond">Memory that this machine reads in a second, measured now.</param>
/// <param name="Threads">Threads that read meanwhile.</param>
/// <param name="TokensPerSecond">The most tokens that can be generated one by one at this rate.</param>
internal sealed record DecodingSummary(
    long BytesPerToken, long ExpertBytes, long HeadBytes, long DenseBytes, long EmbeddingRowBytes,
    double ReadBytesPerSecond, int Threads, double TokensPerSecond)
{
    /// <summary>Adds up the bytes and divides by the bandwidth.</summary>
    public static DecodingSummary Of(
        long expertBytes, long headBytes, long denseBytes, long embeddingRowBytes, ReadBandwidth bandwidth)
    {
        long bytes = expertBytes + headBytes + denseBytes + embeddingRowBytes;
        return new DecodingSummary(
            bytes, expertBytes, headBytes, denseBytes, embeddingRowBytes, bandwidth.BytesPerSecond, bandwidth.Threads,
            bandwidth.BytesPerSecond / bytes);
    }
}
