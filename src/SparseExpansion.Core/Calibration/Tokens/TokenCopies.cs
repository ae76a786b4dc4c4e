using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>A source whose tensors may be written to: what custom trainers of routers are given.</summary>
internal sealed class TokenCopies(ITokenSource source) : ITokenSource
{
    public long TokenCount => source.TokenCount;

    public int Features => source.Features;

    /// <summary>The source for a part to read: for a custom one, one of copies.</summary>
    public static ITokenSource For(object part, ITokenSource source) =>
        CustomPart.Is(part) ? new TokenCopies(source) : source;

    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        foreach (Tensor chunk in source.ReadChunks(chunkTokens, device))
        {
            using (chunk)
            {
                yield return chunk.clone();
            }
        }
    }

    /// <remarks>Copies in any case.</remarks>
    public Tensor Gather(ReadOnlySpan<long> indices, Device device) => source.Gather(indices, device);
}
