using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Tokens;

/// <summary>
/// Two sources side by side: each token is one of the first and, in the
/// features after it, its counterpart in the second.
/// </summary>
internal sealed class TokenPairs : ITokenSource
{
    private readonly ITokenSource _first;
    private readonly ITokenSource _second;

    /// <param name="first">A source.</param>
    /// <param name="second">A source that gathered its tokens in as many pieces of the same lengths.</param>
    public TokenPairs(ITokenSource first, ITokenSource second)
    {
        _first = first;
        _second = second;
        if (first.TokenCount != second.TokenCount)
        {
            throw new ArgumentException(
                $"Tokens cannot be paired: there are {first.TokenCount} and {second.TokenCount}.", nameof(second));
        }
    }

    public long TokenCount => _first.TokenCount;

    public int Features => _first.Features + _second.Features;

    public IEnumerable<Tensor> ReadChunks(int chunkTokens, Device device)
    {
        using IEnumerator<Tensor> others = _second.ReadChunks(chunkTokens, device).GetEnumerator();
        foreach (Tensor chunk in _first.ReadChunks(chunkTokens, device))
        {
            yield return Join(chunk, others);
        }
    }

    public Tensor Gather(ReadOnlySpan<long> indices, Device device)
    {
        using Tensor first = _first.Gather(indices, device), second = _second.Gather(indices, device);
        return cat([first, second], 1);
    }

    private static Tensor Join(Tensor first, IEnumerator<Tensor> others)
    {
        using (first)
        {
            using Tensor second = others.MoveNext()
                ? others.Current
                : throw new InvalidOperationException("The second source ended before the first.");
            return cat([first, second], 1);
        }
    }
}
