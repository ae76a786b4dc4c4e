using MathNet.Numerics.Statistics;

namespace SparseExpansion.Analysis.Neurons;

/// <summary>One measure over many neurons.</summary>
/// <param name="Count">Neurons with a value; NaN is left out.</param>
/// <param name="Mean">Mean; NaN if there is none.</param>
/// <param name="StandardDeviation">Population standard deviation.</param>
/// <param name="Minimum">Least value.</param>
/// <param name="Median">Median.</param>
/// <param name="Maximum">Largest value.</param>
public sealed record MeasureSummary(
    int Count, double Mean, double StandardDeviation, double Minimum, double Median, double Maximum)
{
    /// <summary>Summarizes values.</summary>
    /// <param name="values">One value a neuron; NaN: not measured.</param>
    public static MeasureSummary Of(IEnumerable<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        double[] known = [.. values.Where(value => !double.IsNaN(value))];
        return new MeasureSummary(
            known.Length,
            ArrayStatistics.Mean(known),
            ArrayStatistics.PopulationStandardDeviation(known),
            ArrayStatistics.Minimum(known),
            ArrayStatistics.MedianInplace([.. known]),
            ArrayStatistics.Maximum(known));
    }
}
