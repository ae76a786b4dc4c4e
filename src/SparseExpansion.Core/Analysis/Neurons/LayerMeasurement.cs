using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Panels;
using SparseExpansion.Internal.Vectors;

namespace SparseExpansion.Analysis.Neurons;

/// <summary>Measures slices of neurons over all tokens.</summary>
internal sealed class LayerMeasurement(string layer, int[] neurons, GaussianQuantiles quantiles, MappingPairs? pairs)
{
    public NeuronStatistics[] Neurons { get; } = new NeuronStatistics[neurons.Length];

    public void Visit(PanelSlice slice)
    {
        var sorted = new HostRows(HostRows.Sort(slice.Outputs[0]));
        HostRows? outputs = pairs is null ? null : new HostRows(slice.Outputs[0]);
        RowParallel.For(sorted.Count, sorted.Width, (from, to) =>
        {
            var scratch = new float[pairs?.Count ?? 0];
            for (int row = (int)from; row < to; row++)
            {
                Moments moments = Moments.OfSorted(sorted[row]);
                double difficulty = outputs is null || double.IsNaN(moments.Variance)
                    ? double.NaN
                    : pairs!.Difficulty(outputs[row], scratch);
                Neurons[slice.First + row] = new NeuronStatistics(
                    neurons[slice.First + row],
                    QuantileDistance.ToGaussian(sorted[row], moments, quantiles),
                    difficulty,
                    moments.Mean,
                    moments.Variance,
                    moments.Skewness,
                    moments.ExcessKurtosis,
                    slice.WeightNorms.Span[row],
                    moments.IsConstant);
            }
        });
        int bad = Array.FindIndex(Neurons, slice.First, (int)sorted.Count, neuron => double.IsNaN(neuron.Variance));
        PanelPass.ThrowIfBad(layer, bad < 0 ? -1 : neurons[bad]);
    }
}
