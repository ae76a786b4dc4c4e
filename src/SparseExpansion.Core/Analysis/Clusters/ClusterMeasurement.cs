using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Analysis.Panels;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Clusters;

/// <summary>Measures slices of neurons inside every cluster.</summary>
internal sealed class ClusterMeasurement(string layer, int[] neurons, TokenClusters clusters, MappingPairs[]? pairs)
{
    private readonly GaussianQuantiles[] _quantiles =
        [.. clusters.Members.Select(members => GaussianQuantiles.For(Math.Max(members.Length, 1)))];
    private readonly double[][] _distances = Table(neurons.Length, clusters.Count);
    private readonly double[][] _difficulties = Table(neurons.Length, clusters.Count);

    public void Visit(PanelSlice slice)
    {
        for (int cluster = 0; cluster < clusters.Count; cluster++)
        {
            if (clusters.Members[cluster].Length >= 2)
            {
                VisitCluster(slice, cluster);
            }
        }

        if (pairs is not null)
        {
            VisitPairs(slice, pairs);
        }
    }

    public NeuronClusterEntanglement[] Results() => [.. neurons.Select((neuron, i) => new NeuronClusterEntanglement(
        neuron, _distances[i], _difficulties[i], Weighted(_distances[i]), Weighted(_difficulties[i])))];

    private void VisitCluster(PanelSlice slice, int cluster)
    {
        using var scope = NewDisposeScope();
        Tensor members = tensor(
            Array.ConvertAll(clusters.Members[cluster], token => (long)token), device: slice.Outputs[0].device);
        var sorted = new HostRows(HostRows.Sort(slice.Outputs[0].index_select(1, members)));
        RowParallel.For(sorted.Count, sorted.Width, (from, to) =>
        {
            for (int row = (int)from; row < to; row++)
            {
                _distances[slice.First + row][cluster] = QuantileDistance.ToGaussian(
                    sorted[row], Moments.OfSorted(sorted[row]), _quantiles[cluster]);
            }
        });
        int bad = Array.FindIndex(_distances, slice.First, (int)sorted.Count, row => double.IsNaN(row[cluster]));
        PanelPass.ThrowIfBad(layer, bad < 0 ? -1 : neurons[bad]);
    }

    private void VisitPairs(PanelSlice slice, MappingPairs[] clusterPairs)
    {
        var outputs = new HostRows(slice.Outputs[0]);
        RowParallel.For(outputs.Count, outputs.Width, (from, to) =>
        {
            for (int cluster = 0; cluster < clusterPairs.Length; cluster++)
            {
                var scratch = new float[clusterPairs[cluster].Count];
                for (int row = (int)from; row < to; row++)
                {
                    _difficulties[slice.First + row][cluster] = clusterPairs[cluster].Difficulty(outputs[row], scratch);
                }
            }
        });
    }

    private double Weighted(double[] values)
    {
        double sum = 0, tokens = 0;
        for (int cluster = 0; cluster < values.Length; cluster++)
        {
            if (!double.IsNaN(values[cluster]))
            {
                sum += values[cluster] * clusters.Members[cluster].Length;
                tokens += clusters.Members[cluster].Length;
            }
        }

        return tokens > 0 ? sum / tokens : double.NaN;
    }

    private static double[][] Table(int rows, int columns) =>
        [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Repeat(double.NaN, columns).ToArray())];
}
