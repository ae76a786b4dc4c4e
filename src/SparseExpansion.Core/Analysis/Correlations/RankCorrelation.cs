using MathNet.Numerics.Statistics;

namespace SparseExpansion.Analysis.Correlations;

/// <summary>
/// Spearman's rank correlation between measures of neurons, with confidence intervals by the percentile bootstrap
/// (Efron 1979).
/// </summary>
public static class RankCorrelation
{
    /// <summary>Correlates two measures.</summary>
    /// <param name="first">One value a neuron; ∞ is allowed, NaN is not.</param>
    /// <param name="second">As many values.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">Fewer than three neurons, different counts, or NaN.</exception>
    public static RankCorrelationResult Spearman(
        IReadOnlyList<double> first, IReadOnlyList<double> second, RankCorrelationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return Between(
            new Dictionary<string, IReadOnlyList<double>> { [nameof(first)] = first, [nameof(second)] = second },
            options)[0];
    }

    /// <summary>Correlates every measure with every other. All pairs see the same resamples of neurons.</summary>
    /// <param name="measures">Values by name, one a neuron; ∞ is allowed, NaN is not.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <returns>One result for each unordered pair, in the order of the names.</returns>
    /// <exception cref="ArgumentException">Fewer than two measures or three neurons, different counts, or
    /// NaN.</exception>
    public static IReadOnlyList<RankCorrelationResult> Between(
        IReadOnlyDictionary<string, IReadOnlyList<double>> measures, RankCorrelationOptions? options = null)
    {
        options ??= new RankCorrelationOptions();
        options.Validate();
        int neurons = Check(measures);
        RankedSample[] samples = [.. measures.Values.Select(values => new RankedSample(values))];
        double[] exact = PairCorrelations.Coefficients(samples, [.. Enumerable.Repeat(1, neurons)]);
        double[][] resampled = PairCorrelations.Bootstrap(samples, neurons, options);
        string[] names = [.. measures.Keys];
        return [.. PairCorrelations.Pairs(names.Length)
            .Select((pair, i) =>
                Result(
                    names[pair.First], names[pair.Second], neurons, exact[i],
                    [.. resampled.Select(values => values[i])], options))];
    }

    private static int Check(IReadOnlyDictionary<string, IReadOnlyList<double>> measures)
    {
        ArgumentNullException.ThrowIfNull(measures);
        if (measures.Count < 2)
        {
            throw new ArgumentException(
                $"A correlation needs at least two measures, got {measures.Count}.", nameof(measures));
        }

        int neurons = measures.Values.First().Count;
        foreach ((string name, IReadOnlyList<double> values) in measures)
        {
            if (values.Count != neurons || neurons < 3)
            {
                throw new ArgumentException(
                    "Measures must have one value for each of at least 3 neurons; "
                    + $"'{name}' has {values.Count}, the first {neurons}.", nameof(measures));
            }

            if (values.Any(double.IsNaN))
            {
                throw new ArgumentException(
                    $"Measure '{name}' holds NaN; leave those neurons out of all measures.", nameof(measures));
            }
        }

        return neurons;
    }

    private static RankCorrelationResult Result(
        string first, string second, int neurons, double coefficient, IEnumerable<double> resampled,
        RankCorrelationOptions options)
    {
        // A resample in which a measure is constant has no coefficient.
        double[] known = [.. resampled.Where(value => !double.IsNaN(value)).Order()];
        double tail = (1 - options.Confidence) / 2;
        return new RankCorrelationResult(
            first, second, neurons, coefficient, SortedArrayStatistics.Quantile(known, tail),
            SortedArrayStatistics.Quantile(known, 1 - tail));
    }
}
