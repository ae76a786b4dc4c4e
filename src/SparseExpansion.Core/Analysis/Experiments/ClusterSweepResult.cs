namespace SparseExpansion.Analysis.Experiments;

/// <summary>A layer expanded to several numbers of clusters.</summary>
public sealed record ClusterSweepResult
{
    /// <summary>Module path of the layer.</summary>
    public required string Layer { get; init; }

    /// <summary>One point for each number of clusters, in the order asked for.</summary>
    public required IReadOnlyList<ClusterSweepPoint> Points { get; init; }

    /// <summary>Dense outputs by neuron, one value a token, of the neurons to be recorded.</summary>
    public IReadOnlyDictionary<int, float[]> DenseOutputs { get; init; } = new Dictionary<int, float[]>();
}
