using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Panels;
using SparseExpansion.Internal.Vectors;

namespace SparseExpansion.Analysis.Comparison;

/// <summary>Compares slices of dense and sparse outputs.</summary>
internal sealed class ComparisonMeasurement(string layer, int[] neurons, GaussianQuantiles quantiles)
{
    public NeuronComparison[] Neurons { get; } = new NeuronComparison[neurons.Length];

    /// <param name="slice">The first map is the dense one, the second the sparse one.</param>
    public void Visit(PanelSlice slice)
    {
        var dense = new HostRows(slice.Outputs[0]);
        var sparse = new HostRows(slice.Outputs[1]);
        var denseSorted = new HostRows(HostRows.Sort(slice.Outputs[0]));
        var sparseSorted = new HostRows(HostRows.Sort(slice.Outputs[1]));
        RowParallel.For(dense.Count, dense.Width, (from, to) =>
        {
            for (int row = (int)from; row < to; row++)
            {
                Moments denseMoments = Moments.OfSorted(denseSorted[row]),
                    sparseMoments = Moments.OfSorted(sparseSorted[row]);
                Neurons[slice.First + row] = new NeuronComparison(
                    neurons[slice.First + row],
                    QuantileDistance.RootMeanSquare(dense[row], sparse[row]),
                    QuantileDistance.BetweenEqual(denseSorted[row], sparseSorted[row]),
                    denseMoments.StandardDeviation,
                    QuantileDistance.ToGaussian(denseSorted[row], denseMoments, quantiles),
                    QuantileDistance.ToGaussian(sparseSorted[row], sparseMoments, quantiles));
            }
        });
        int bad = Array.FindIndex(
            Neurons, slice.First, (int)dense.Count,
            neuron => double.IsNaN(neuron.DenseToGaussian + neuron.SparseToGaussian));
        PanelPass.ThrowIfBad(layer, bad < 0 ? -1 : neurons[bad]);
    }
}
