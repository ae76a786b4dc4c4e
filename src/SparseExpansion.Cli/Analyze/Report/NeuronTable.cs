using System.Globalization;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Report;

/// <summary>neurons.csv: one row per neuron, numbers in full precision with a decimal point.</summary>
internal static class NeuronTable
{
    private static readonly string[] s_ofExpansions =
        ["weighted_w1", "weighted_mapping_difficulty", "rmse", "w1_sparse_dense", "ri"];

    public static void Write(AnalyzeReport report, TextWriter writer)
    {
        writer.NewLine = "\n";
        IEnumerable<string> expansions = report.Settings.Experts.SelectMany(count =>
            s_ofExpansions.Select(name => Text($"{name}_{count}")));
        writer.WriteLine(string.Join(',', (string[])[
            "layer", "neuron", "wasserstein_neuron", "constant", "w1", "mapping_difficulty", "mean", "variance", "skewness", "excess_kurtosis", "weight_norm",
            .. expansions, "weighted_w1_random_clusters", "ri_random_clusters"]));
        foreach (LayerResult layer in report.Layers)
        {
            var marked = new HashSet<int>(layer.WassersteinNeurons);
            foreach (NeuronStatistics neuron in layer.Neurons)
            {
                writer.WriteLine(string.Join(',', Cells(layer, neuron, marked.Contains(neuron.Neuron))));
            }
        }
    }

    private static IEnumerable<string> Cells(LayerResult layer, NeuronStatistics neuron, bool isMarked)
    {
        int i = neuron.Neuron;
        IEnumerable<double> expansions = layer.Expansions.SelectMany(point => new[]
        {
            point.WeightedWasserstein[i], point.WeightedMappingDifficulty[i], point.RootMeanSquareError[i], point.SparseToDense[i], point.RelativeImprovement[i],
        });
        double[] values =
        [
            neuron.Wasserstein, neuron.MappingDifficulty, neuron.Mean, neuron.Variance, neuron.Skewness, neuron.ExcessKurtosis, neuron.WeightNorm,
            .. expansions, layer.RandomClusters.WeightedWasserstein[i], layer.RandomClusters.RelativeImprovement[i],
        ];
        return [Quote(layer.Layer), Text($"{i}"), isMarked ? "1" : "0", neuron.IsConstant ? "1" : "0", .. values.Select(value => Text($"{value}"))];
    }

    /// <summary>Module paths usually have neither commas nor quotes.</summary>
    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
