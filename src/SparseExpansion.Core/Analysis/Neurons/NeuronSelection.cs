using SparseExpansion.Internal;

namespace SparseExpansion.Analysis.Neurons;

/// <summary>Choices of neurons to experiment on.</summary>
public static class NeuronSelection
{
    /// <summary>The neurons of largest measure.</summary>
    /// <param name="layer">The measured layer.</param>
    /// <param name="measure">The measure that orders them.</param>
    /// <param name="share">Share of the neurons, in (0, 1]; the count is rounded up.</param>
    /// <param name="byMagnitude">True: orders by |measure|, which makes a difference for mean and skewness.</param>
    /// <returns>Neurons, largest first; of equal ones the first in the layer.</returns>
    public static IReadOnlyList<int> Top(
        LayerEntanglement layer, NeuronMeasure measure, double share, bool byMagnitude = false)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Top(layer.Values(measure).Select(value => byMagnitude ? Math.Abs(value) : value), share);
    }

    /// <summary>The neurons of largest value.</summary>
    /// <param name="values">One value a neuron; NaN comes last.</param>
    /// <param name="share">Share of the neurons, in (0, 1]; the count is rounded up.</param>
    /// <returns>Neurons, largest first; of equal ones the first in the layer.</returns>
    public static IReadOnlyList<int> Top(IEnumerable<double> values, double share)
    {
        ArgumentNullException.ThrowIfNull(values);
        double[] known = [.. values];
        return [.. Enumerable.Range(0, known.Length).OrderByDescending(neuron => known[neuron])
            .Take(Count(known.Length, share))];
    }

    /// <summary>Neurons drawn without replacement: the control of every other selection.</summary>
    /// <param name="neurons">Neurons of the layer.</param>
    /// <param name="share">Share of the neurons, in (0, 1]; the count is rounded up.</param>
    /// <param name="seed">Seed of the draw.</param>
    public static IReadOnlyList<int> Random(int neurons, double share, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(neurons, 1);
        int[] order = [.. Enumerable.Range(0, neurons)];
        int count = Count(neurons, share);
        SeededRandom.ShuffleFront(order, count, SeededRandom.Create(seed));
        return order[..count];
    }

    private static int Count(int neurons, double share)
    {
        if (!(share is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "Must be above 0 and at most 1.");
        }

        // 0.03 · 100 is 3 with rounding above it in binary.
        return (int)Math.Ceiling((share * neurons) - 1e-9);
    }
}
