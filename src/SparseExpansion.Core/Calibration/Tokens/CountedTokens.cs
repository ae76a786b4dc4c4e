using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>Reads sources that may be of the caller's own making.</summary>
internal static class CountedTokens
{
    /// <summary>All tokens in order, as many as the source says that it has.</summary>
    /// <exception cref="CalibrationException">There are more or fewer.</exception>
    public static IEnumerable<Tensor> ReadCounted(this ITokenSource tokens, int chunkTokens, Device device)
    {
        long count = tokens.TokenCount, read = 0;
        foreach (Tensor chunk in tokens.ReadChunks(chunkTokens, device))
        {
            read += chunk.shape[0];
            if (read > count)
            {
                chunk.Dispose();
                throw Miscounted(tokens, count, $"{read} or more");
            }

            yield return chunk;
        }

        if (read < count)
        {
            throw Miscounted(tokens, count, $"{read}");
        }
    }

    private static CalibrationException Miscounted(ITokenSource tokens, long count, string read) => new(
        $"The token source {tokens.GetType().Name} has {count} tokens, but returned {read}; "
        + $"{nameof(ITokenSource.ReadChunks)} must return each of its {nameof(ITokenSource.TokenCount)} tokens once.");
}
