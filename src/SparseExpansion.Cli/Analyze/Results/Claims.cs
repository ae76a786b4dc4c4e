using System.Globalization;
using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>
/// Checks the statements of arXiv 2405.15756 against measurements, without knowing the expected outcome.
/// </summary>
internal static class Claims
{
    /// <summary>Name of the relative improvement among the correlated measures.</summary>
    public const string RelativeImprovement = "RelativeImprovement";

    public static IReadOnlyList<Claim> Judge(
        IReadOnlyList<LayerResult> layers, AblationResult ablation, AnalyzeSettings settings) =>
    [
        ClusteringClaim.Judge(layers, settings),
        WassersteinNeuronsMatter(ablation, settings),
        ImprovementGrows(layers),
        Correlates(
            layers, RelativeImprovement, "W1 predicts relative improvement",
            $"Neurons of larger W1 gain more from {settings.MostExperts} experts: the 95 % interval of Spearman's rank correlation lies above 0."),
        Correlates(
            layers, nameof(NeuronMeasure.MappingDifficulty), "W1 predicts mapping difficulty",
            "Neurons of larger W1 are harder to map: the 95 % interval of Spearman's rank correlation lies above 0."),
    ];

    private static Claim WassersteinNeuronsMatter(AblationResult ablation, AnalyzeSettings settings)
    {
        double top = ablation.Perplexities(AblationResult.TopWasserstein, settings.Sparsity).Single();
        double[] random = ablation.Perplexities(AblationResult.Random, settings.Sparsity);
        MeasureSummary summary = MeasureSummary.Of(random);
        bool holds = random.All(perplexity => top > perplexity);
        var evidence = new ClaimEvidence("all", holds, new Dictionary<string, double>
        {
            ["densePerplexity"] = ablation.DensePerplexity,
            ["topPerplexity"] = top,
            ["randomMean"] = summary.Mean,
            ["randomStandardDeviation"] = summary.StandardDeviation,
            ["randomMinimum"] = summary.Minimum,
            ["randomMaximum"] = summary.Maximum,
            ["randomDraws"] = random.Length,
            ["randomDrawsBelowTop"] = random.Count(perplexity => top > perplexity),
        });
        return Claim.Of(
            "Wasserstein neurons matter",
            Text($"Removing {settings.Sparsity:0.## %} of the weights of the {settings.TopShare:0.## %} of neurons of largest W1 hurts more than of as many random neurons: perplexity is above that of all {random.Length} draws."),
            Text($"Perplexity {ablation.DensePerplexity:0.000} dense, {top:0.000} with Wasserstein neurons sparse, {summary.Mean:0.000} ± {summary.StandardDeviation:0.000} with random ones ({summary.Minimum:0.000} … {summary.Maximum:0.000}); above {random.Count(perplexity => top > perplexity)} of {random.Length} draws."),
            [evidence]);
    }

    private static Claim ImprovementGrows(IReadOnlyList<LayerResult> layers)
    {
        ClaimEvidence[] evidence = [.. layers.Select(layer => new ClaimEvidence(
            layer.Layer,
            layer.Expansions.Zip(layer.Expansions.Skip(1))
                .All(pair => pair.First.MedianRelativeImprovement < pair.Second.MedianRelativeImprovement),
            layer.Expansions
                .ToDictionary(point => Text($"medianAt{point.Clusters}"), point => point.MedianRelativeImprovement)
                .Append(new("medianRandomClusters", layer.RandomClusters.MedianRelativeImprovement)).ToDictionary()))];
        IEnumerable<string> medians = layers[0].Expansions.Select((point, i) =>
            Text($"{Median(layers.SelectMany(layer => layer.Expansions[i].RelativeImprovement)):0.000} with {point.Clusters}"));
        double random = Median(layers.SelectMany(layer => layer.RandomClusters.RelativeImprovement));
        return Claim.Of(
            "Relative improvement grows",
            "RI grows with the number of clusters: the median over a layer's neurons rises at every step.",
            Text($"Median RI over all neurons: {string.Join(", ", medians)}; {random:0.000} with {layers[0].RandomClusters.Clusters} random clusters."),
            evidence);
    }

    private static Claim Correlates(IReadOnlyList<LayerResult> layers, string measure, string name, string statement)
    {
        ClaimEvidence[] evidence = [.. layers.Select(layer =>
            layer.Correlation(nameof(NeuronMeasure.Wasserstein), measure) is { } found
            ? new ClaimEvidence(layer.Layer, found.Lower > 0, new Dictionary<string, double>
            {
                ["rho"] = found.Coefficient, ["lower"] = found.Lower, ["upper"] = found.Upper, ["neurons"] = found.Count,
            })
            : new ClaimEvidence(layer.Layer, false, new Dictionary<string, double> { ["rho"] = double.NaN }))];
        double[] known = [.. evidence.Select(entry => entry.Values["rho"]).Where(value => !double.IsNaN(value))];
        string summary = known.Length == 0
            ? "Not measured: too few tokens or neurons."
            : Text($"Rank correlation from {known.Min():+0.00;-0.00;0.00} to {known.Max():+0.00;-0.00;0.00} over {known.Length} layers; its interval lies above 0 in {evidence.Count(entry => entry.Holds)}, below 0 in {evidence.Count(entry => entry.Values.GetValueOrDefault("upper") < 0)}.");
        return Claim.Of(name, statement, summary, evidence);
    }

    private static double Median(IEnumerable<double> values) => MeasureSummary.Of(values).Median;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
