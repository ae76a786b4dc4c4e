using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>Successive tokens of a source, as a source.</summary>
internal sealed class TokenRange(ITokenSource source, long start, long count) : ITokenSource
{
    public long TokenCount => count;

    public int Features => source.Features;

    /// <summary>
    /// Sets the last tokens of a source aside, at least one and never all. They are the last windows: tokens picked
    /// from between the others would have neighbors there that are almost the same.
    /// </summary>
    /// <param name="tokens">At least two tokens.</param>
    /// <param name="share">Share that is held out, in (0, 1).</param>
    public static (TokenRange Fitted, TokenRange HeldOut) Split(ITokenSource tokens, double share)
    {
        long heldOut = Math.Clamp((long)Math.Round(tokens.TokenCount * share), 1, tokens.TokenCount - 1);
        long fitted = tokens.TokenCount - heldOut;
        return (new TokenRange(tokens, 0, fitted), new TokenRange(tokens, fitted, heldOut));
    }

    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        long position = 0;
        foreach (Tensor chunk in source.ReadChunks(chunkTokens, device))
        {
            long from = Math.Clamp(start - position, 0, chunk.shape[0]),
                to = Math.Clamp(start + count - position, 0, chunk.shape[0]);
            position += chunk.shape[0];
            if (from == 0 && to == chunk.shape[0])
            {
                yield return chunk;
                continue;
            }

            using (chunk)
            {
                if (from < to)
                {
                    yield return chunk.narrow(0, from, to - from);
                }
            }
        }
    }

    public Tensor Gather(ReadOnlySpan<long> indices, Device device)
    {
        var shifted = new long[indices.Length];
        for (int i = 0; i < shifted.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(indices[i], nameof(indices));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(indices[i], count, nameof(indices));
            shifted[i] = start + indices[i];
        }

        return source.Gather(shifted, device);
    }
}
