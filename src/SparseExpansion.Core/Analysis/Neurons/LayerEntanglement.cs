namespace SparseExpansion.Analysis.Neurons;

/// <summary>All neurons of one layer, measured over the same tokens.</summary>
public sealed record LayerEntanglement
{
    /// <summary>Module path of the layer.</summary>
    public required string Layer { get; init; }

    /// <summary>Tokens that were analyzed.</summary>
    public required long TokenCount { get; init; }

    /// <summary>
    /// Token pairs behind the mapping difficulty: those asked for, less what the
    /// tokens do not give and pairs of equal tokens.
    /// </summary>
    public required int MappingPairs { get; init; }

    /// <summary>One entry a neuron, in the order of the weight's rows.</summary>
    public required IReadOnlyList<NeuronStatistics> Neurons { get; init; }

    /// <summary>
    /// The neurons of largest W₁, largest first: the share <see cref="AnalysisOptions.TopShare"/>, rounded up.
    /// </summary>
    public required IReadOnlyList<int> WassersteinNeurons { get; init; }

    /// <summary>Number of neurons with constant output.</summary>
    public int ConstantNeurons => Neurons.Count(neuron => neuron.IsConstant);

    /// <summary>One measure of all neurons.</summary>
    public double[] Values(NeuronMeasure measure) => [.. Neurons.Select(neuron => neuron[measure])];

    /// <summary>Mean, spread and extremes of one measure over the neurons.</summary>
    public MeasureSummary Summarize(NeuronMeasure measure) => MeasureSummary.Of(Values(measure));

    /// <summary>
    /// All measures by name, as
    /// <see cref="Analysis.Correlations.RankCorrelation.Between"/> takes them; without those that were not measured.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Measures()
    {
        var measures = new Dictionary<string, IReadOnlyList<double>>();
        foreach (NeuronMeasure measure in Enum.GetValues<NeuronMeasure>())
        {
            double[] values = Values(measure);
            if (!Array.Exists(values, double.IsNaN))
            {
                measures.Add(measure.ToString(), values);
            }
        }

        return measures;
    }
}
