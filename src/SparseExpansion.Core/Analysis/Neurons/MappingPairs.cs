using System.Runtime.InteropServices;
using MathNet.Numerics.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Neurons;

/// <summary>
/// Random disjoint token pairs and the distances of their inputs. The mapping difficulty of a neuron is the mean over
/// the pairs of (|Δy| / median|Δy|) / (‖Δx‖ / max‖Δx‖): arXiv 2405.15756. Pairs of equal tokens say nothing about a
/// neuron and are left out.
/// </summary>
internal sealed class MappingPairs
{
    private readonly int[] _first;
    private readonly int[] _second;
    private readonly double[] _inverseDistances;
    private readonly double _largest;

    private MappingPairs(int[] first, int[] second, double[] inverseDistances, double largest) =>
        (_first, _second, _inverseDistances, _largest) = (first, second, inverseDistances, largest);

    public int Count => _first.Length;

    /// <summary>Bytes held for a number of pairs, and taken while they are drawn from n tokens.</summary>
    public static long Bytes(long pairs, long tokens) => (32 * pairs) + (sizeof(int) * tokens);

    /// <summary>Draws pairs.</summary>
    /// <param name="layer">For messages.</param>
    /// <param name="tokens">The tokens.</param>
    /// <param name="members">Positions of the tokens to pair.</param>
    /// <param name="pairs">Number of pairs wanted.</param>
    /// <param name="random">Source of the draws.</param>
    /// <param name="chunkTokens">Pairs on the device at a time.</param>
    /// <param name="device">The device to compute on.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <exception cref="CalibrationException">A token holds NaN or infinite values.</exception>
    public static MappingPairs Draw(
        string layer, ITokenSource tokens, ReadOnlySpan<int> members, int pairs, Random random, int chunkTokens,
        Device device, CancellationToken cancellationToken)
    {
        int count = Math.Min(pairs, members.Length / 2);
        int[] order = members.ToArray();
        SeededRandom.ShuffleFront(order, 2 * count, random);
        double[] distances = new double[count];
        for (int start = 0; start < count; start += chunkTokens)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int size = Math.Min(chunkTokens, count - start);
            Distances(
                tokens, order.AsSpan(start, size), order.AsSpan(count + start, size), device,
                distances.AsSpan(start, size));
        }

        int bad = Array.FindIndex(distances, distance => !double.IsFinite(distance));
        if (bad >= 0)
        {
            throw new CalibrationException(
                $"Layer '{layer}': input token {order[bad]} or {order[count + bad]} holds NaN or infinite values, "
                + "or values whose squares overflow float32.")
            { Layer = layer };
        }

        int[] kept = [.. Enumerable.Range(0, count).Where(i => distances[i] > 0)];
        return new MappingPairs(
            [.. kept.Select(i => order[i])],
            [.. kept.Select(i => order[count + i])],
            [.. kept.Select(i => 1 / distances[i])],
            kept.Length == 0 ? 0 : distances.Max());
    }

    /// <summary>
    /// The mapping difficulty of one neuron; NaN without pairs, 0 where the median output distance is 0.
    /// </summary>
    /// <param name="outputs">Outputs of all tokens.</param>
    /// <param name="scratch">[<see cref="Count"/>], overwritten.</param>
    public double Difficulty(ReadOnlySpan<float> outputs, float[] scratch)
    {
        if (Count == 0)
        {
            return double.NaN;
        }

        double ratios = 0;
        for (int i = 0; i < scratch.Length; i++)
        {
            float distance = Math.Abs(outputs[_first[i]] - outputs[_second[i]]);
            scratch[i] = distance;
            ratios += distance * _inverseDistances[i];
        }

        double median = ArrayStatistics.MedianInplace(scratch);
        return median > 0 ? ratios / Count / median * _largest : 0;
    }

    private static void Distances(
        ITokenSource tokens, ReadOnlySpan<int> first, ReadOnlySpan<int> second, Device device, Span<double> distances)
    {
        using var scope = NewDisposeScope();
        Tensor difference = tokens.Gather(Widen(first), device).sub_(tokens.Gather(Widen(second), device));
        Tensor norms = difference.Squared().sum(1).to(ScalarType.Float64).sqrt_().cpu();
        MemoryMarshal.Cast<byte, double>(norms.bytes).CopyTo(distances);
    }

    private static long[] Widen(ReadOnlySpan<int> positions)
    {
        var wide = new long[positions.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = positions[i];
        }

        return wide;
    }
}
