using SparseExpansion.Calibration.Tokens;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Experts;

/// <summary>The tokens of an input group, handed out expert by expert.</summary>
/// <param name="tokens">The tokens.</param>
/// <param name="assignment">The expert of each token.</param>
/// <param name="chunkTokens">Tokens on the device at a time.</param>
/// <param name="device">Where they are shown.</param>
/// <param name="centers">[experts, features], float32: subtracted from the tokens of each expert; null: nothing is. Stays with the caller.</param>
internal sealed class ExpertTokens(ITokenSource tokens, RouterAssignment assignment, int chunkTokens, Device device, Tensor? centers = null)
{
    public int ExpertCount => assignment.ExpertCount;

    public long Count(int expert) => assignment.TokensOf(expert).Length;

    /// <summary>Streams all tokens through the device and shows each chunk's share of every expert.</summary>
    /// <param name="visit">Expert and tokens [n ≥ 1, features], float32, valid during the call only.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <param name="first">First expert shown.</param>
    /// <param name="count">Number of experts shown; null: all from the first on.</param>
    public void Visit(Action<int, Tensor> visit, CancellationToken cancellationToken, int first = 0, int? count = null)
    {
        int end = first + (count ?? ExpertCount - first);
        int start = 0;
        foreach (Tensor chunk in tokens.ReadCounted(chunkTokens, device))
        {
            using (chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                int rows = (int)chunk.shape[0];
                VisitChunk(chunk, assignment.Experts.Slice(start, rows), visit, first, end);
                start += rows;
            }
        }
    }

    private void VisitChunk(Tensor chunk, ReadOnlySpan<int> experts, Action<int, Tensor> visit, int first, int end)
    {
        var counts = new int[ExpertCount];
        long[] ids = new long[experts.Length];
        for (int t = 0; t < ids.Length; t++)
        {
            ids[t] = experts[t];
            counts[ids[t]]++;
        }

        (Tensor _, Tensor order) = tensor(ids, device: device).sort(dim: 0, descending: false, stable: true);
        Tensor sorted = chunk.index_select(0, order);
        int offset = 0;
        for (int e = 0; e < counts.Length; e++)
        {
            if (counts[e] > 0 && e >= first && e < end)
            {
                Tensor share = sorted.narrow(0, offset, counts[e]);
                visit(e, centers is null ? share : share - centers.select(0, e));
            }

            offset += counts[e];
        }
    }
}
