using SparseExpansion.Calibration.Tokens;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Clustering;

/// <summary>
/// Tokens of another source less a constant: k-means takes differences of
/// squares, which cancel badly far from the origin.
/// </summary>
internal sealed class CenteredTokens(ITokenSource inner, Tensor mean) : ITokenSource
{
    public long TokenCount => inner.TokenCount;

    public int Features => inner.Features;

    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        foreach (Tensor chunk in inner.ReadChunks(chunkTokens, device))
        {
            using (chunk)
            {
                yield return chunk - mean;
            }
        }
    }

    public Tensor Gather(ReadOnlySpan<long> indices, Device device)
    {
        Tensor gathered = inner.Gather(indices, device);
        gathered.sub_(mean);
        return gathered;
    }
}
