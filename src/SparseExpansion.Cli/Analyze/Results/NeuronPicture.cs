using SparseExpansion.Analysis.Experiments;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>The output distribution of one neuron, dense and with increasing numbers of experts.</summary>
/// <param name="Neuron">Row of the weight.</param>
/// <param name="Low">Left end of the first bin, in units of the output.</param>
/// <param name="BinWidth">Width of a bin.</param>
/// <param name="Dense">Fraction of the tokens in each bin.</param>
/// <param name="Sparse">The same for the sparse outputs, for each number of experts.</param>
internal sealed record NeuronPicture(
    int Neuron, double Low, double BinWidth, IReadOnlyList<double> Dense, IReadOnlyList<IReadOnlyList<double>> Sparse)
{
    private const int Bins = 80;

    /// <summary>Fraction of the tokens in both tails, outside of the figure.</summary>
    private const double Tails = 0.002;

    public static NeuronPicture Of(ClusterSweepResult sweep, int neuron)
    {
        float[] dense = sweep.DenseOutputs[neuron];
        float[][] sparse = [.. sweep.Points.Select(point => point.SparseOutputs[neuron])];
        (double low, double high) = Range([dense, .. sparse]);
        double width = high > low ? (high - low) / Bins : 1;
        return new NeuronPicture(
            neuron, low, width, Count(dense, low, width), [.. sparse.Select(values => Count(values, low, width))]);
    }

    private static (double Low, double High) Range(IReadOnlyList<float[]> samples)
    {
        float[][] sorted = [.. samples.Select(values => values.Order().ToArray())];
        int cut = (int)(sorted[0].Length * Tails / 2);
        return (sorted.Min(values => values[cut]), sorted.Max(values => values[^(cut + 1)]));
    }

    private static double[] Count(float[] values, double low, double width)
    {
        var shares = new double[Bins];
        foreach (float value in values)
        {
            int bin = (int)Math.Floor((value - low) / width);
            if (bin >= 0 && bin < Bins)
            {
                shares[bin] += 1.0 / values.Length;
            }
        }

        return shares;
    }
}
