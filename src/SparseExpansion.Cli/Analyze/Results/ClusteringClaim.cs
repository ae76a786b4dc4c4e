using System.Globalization;
using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Checks whether clustering the tokens disentangles Wasserstein neurons, more than random clusters do.</summary>
internal static class ClusteringClaim
{
    public static Claim Judge(IReadOnlyList<LayerResult> layers, AnalyzeSettings settings)
    {
        ClaimEvidence[] evidence = [.. layers.Select(layer =>
        {
            double[] clustered = Of(layer.Expansions[^1].WassersteinChange, layer.WassersteinNeurons);
            double[] random = Of(layer.RandomClusters.WassersteinChange, layer.WassersteinNeurons);
            double change = Median(clustered);
            double control = Median(random);
            return new ClaimEvidence(layer.Layer, change < 0 && change < control, new Dictionary<string, double>
            {
                ["neurons"] = clustered.Length,
                ["shareFalling"] = Share(clustered),
                ["medianChange"] = change,
                ["shareFallingRandomClusters"] = Share(random),
                ["medianChangeRandomClusters"] = control,
            });
        })];
        double[] all =
            [.. layers.SelectMany(layer => Of(layer.Expansions[^1].WassersteinChange, layer.WassersteinNeurons))];
        double[] allRandom =
            [.. layers.SelectMany(layer => Of(layer.RandomClusters.WassersteinChange, layer.WassersteinNeurons))];
        return Claim.Of(
            "Clustering disentangles",
            $"The token-weighted W1 of Wasserstein neurons falls in {settings.MostExperts} clusters: their median change is below 0 and below that in as many random clusters.",
            string.Create(
                CultureInfo.InvariantCulture, $"W1 falls for {Share(all):0.0 %} of {all.Length} Wasserstein neurons, median {Median(all):+0.0 %;-0.0 %;0 %}; in random clusters for {Share(allRandom):0.0 %}, median {Median(allRandom):+0.0 %;-0.0 %;0 %}."),
            evidence);
    }

    private static double[] Of(IReadOnlyList<double> values, IReadOnlyList<int> neurons) =>
        [.. neurons.Select(neuron => values[neuron]).Where(value => !double.IsNaN(value))];

    private static double Share(double[] changes) =>
        changes.Length == 0 ? double.NaN : (double)changes.Count(change => change < 0) / changes.Length;

    private static double Median(double[] values) => MeasureSummary.Of(values).Median;
}
