using System.Runtime.InteropServices;
using SparseExpansion.Calibration.Tokens;
using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>The expert of each token of a source.</summary>
public sealed class RouterAssignment
{
    private readonly int[] _experts;
    private readonly long[] _order;
    private readonly int[] _starts;

    private RouterAssignment(int[] experts, int expertCount)
    {
        _experts = experts;
        _starts = new int[expertCount + 1];
        foreach (int expert in experts)
        {
            _starts[expert + 1]++;
        }

        for (int expert = 0; expert < expertCount; expert++)
        {
            _starts[expert + 1] += _starts[expert];
        }

        _order = new long[experts.Length];
        int[] next = _starts[..^1];
        for (int token = 0; token < experts.Length; token++)
        {
            _order[next[experts[token]]++] = token;
        }
    }

    /// <summary>Number of experts k of the router.</summary>
    public int ExpertCount => _starts.Length - 1;

    /// <summary>The expert of every token, in the order of the source.</summary>
    public ReadOnlySpan<int> Experts => _experts;

    /// <summary>Number of tokens of every expert, [k]; they add up to the tokens of the source.</summary>
    public IReadOnlyList<long> TokensPerExpert =>
        [.. Enumerable.Range(0, ExpertCount).Select(expert => (long)TokensOf(expert).Length)];

    /// <summary>
    /// Positions of an expert's tokens in the source, ascending: what <see cref="ITokenSource.Gather"/> takes.
    /// </summary>
    /// <param name="expert">In [0, k).</param>
    public ReadOnlySpan<long> TokensOf(int expert)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expert);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(expert, ExpertCount);
        return _order.AsSpan(_starts[expert].._starts[expert + 1]);
    }

    /// <summary>Routes all tokens of a source, chunk by chunk.</summary>
    /// <param name="router">The router, on <paramref name="device"/>.</param>
    /// <param name="tokens">The tokens.</param>
    /// <param name="chunkTokens">Largest number of tokens on the device at a time.</param>
    /// <param name="device">The device to compute on.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <exception cref="ArgumentException">The router takes tokens of another width.</exception>
    /// <exception cref="CalibrationException">The source returns more or fewer tokens than it says that it
    /// has.</exception>
    /// <exception cref="SparseExpansionException">The router breaks its contract: an expert out of range, or not one a
    /// token.</exception>
    public static RouterAssignment Compute(
        IRouter router, ITokenSource tokens, int chunkTokens, Device device,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkTokens, 1);
        if (router.InputFeatures != tokens.Features)
        {
            throw new ArgumentException(
                $"The router takes tokens of width {router.InputFeatures}, got {tokens.Features}.", nameof(tokens));
        }

        var experts = new int[checked((int)tokens.TokenCount)];
        Span<int> rest = experts;
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, device))
        {
            using (chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = checked((int)chunk.shape[0]);
                RouteChunk(router, chunk, rest[..count]);
                rest = rest[count..];
            }
        }

        return new RouterAssignment(experts, router.ExpertCount);
    }

    private static void RouteChunk(IRouter router, Tensor chunk, Span<int> experts)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor local = RouterCalls.Route(router, chunk).cpu().contiguous();
        ReadOnlySpan<long> routed = MemoryMarshal.Cast<byte, long>(local.bytes);
        for (int i = 0; i < experts.Length; i++)
        {
            experts[i] = routed[i] >= 0 && routed[i] < router.ExpertCount
                ? (int)routed[i]
                : throw new SparseExpansionException(
                    $"{router.GetType().Name} sent a token to expert {routed[i]}, "
                    + $"but has experts 0 … {router.ExpertCount - 1}.");
        }
    }
}
