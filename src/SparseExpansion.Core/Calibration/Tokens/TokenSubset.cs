using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>Some tokens of a source, as a source. Reads only the requested tokens and holds only indices.</summary>
internal sealed class TokenSubset(ITokenSource source, ReadOnlyMemory<long> indices) : ITokenSource
{
    public long TokenCount => indices.Length;

    public int Features => source.Features;

    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        for (int start = 0; start < indices.Length; start += chunkTokens)
        {
            yield return source.Gather(
                indices.Span.Slice(start, Math.Min(chunkTokens, indices.Length - start)), device);
        }
    }

    public Tensor Gather(ReadOnlySpan<long> positions, Device device)
    {
        var chosen = new long[positions.Length];
        for (int i = 0; i < chosen.Length; i++)
        {
            chosen[i] = indices.Span[checked((int)positions[i])];
        }

        return source.Gather(chosen, device);
    }
}
