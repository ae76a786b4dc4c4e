using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.SmallExperts;

/// <summary>Dissolves experts that too few tokens go to.</summary>
internal static class Dissolution
{
    /// <summary>
    /// Leaves out the smallest expert while it has fewer tokens than asked for. The last expert stays.
    /// </summary>
    /// <param name="routed">
    /// A router, and where it sends the tokens; disposed where another one is returned, and when this fails.
    /// </param>
    /// <param name="tokens">The calibration tokens.</param>
    /// <param name="minimum">Least tokens of an expert.</param>
    /// <param name="chunkTokens">Tokens on the device at a time.</param>
    /// <param name="device">Device of the router.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <returns>The router, which the caller disposes, and where it sends the tokens.</returns>
    public static RoutedTokens Dissolve(
        RoutedTokens routed, ITokenSource tokens, long minimum, int chunkTokens, Device device,
        CancellationToken cancellationToken)
    {
        (IRouter router, RouterAssignment assignment) = routed;
        try
        {
            while (true)
            {
                long[] counts = [.. assignment.TokensPerExpert];
                int smallest = Array.IndexOf(counts, counts.Min());
                if (counts[smallest] >= minimum || counts.Length == 1 || router is not IReducibleRouter reducible)
                {
                    return new RoutedTokens(router, assignment);
                }

                IRouter reduced = RouterCalls.Without(reducible, smallest);
                router.Dispose();
                router = reduced;
                assignment = RouterAssignment.Compute(router, tokens, chunkTokens, device, cancellationToken);
            }
        }
        catch
        {
            router.Dispose();
            throw;
        }
    }
}
