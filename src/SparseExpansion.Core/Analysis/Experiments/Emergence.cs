using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>
/// The same analysis over a list of checkpoints: when in training entangled neurons arise. arXiv 2405.15756.
/// </summary>
public sealed class Emergence
{
    private Emergence(IReadOnlyList<EmergencePoint> points) => Points = points;

    /// <summary>One point for each checkpoint, in the order given.</summary>
    public IReadOnlyList<EmergencePoint> Points { get; }

    /// <summary>Analyzes checkpoints one after the other.</summary>
    /// <param name="checkpoints">Names, in the order of training.</param>
    /// <param name="analyze">Loads a checkpoint, measures its layers and frees it again.
    /// It must return the same layers each time.</param>
    /// <param name="cancellationToken">Observed between checkpoints, and passed on.</param>
    /// <exception cref="ArgumentException">No checkpoint.</exception>
    /// <exception cref="SparseExpansionException">Checkpoints differ in their layers or numbers of neurons.</exception>
    public static Emergence Follow(
        IEnumerable<string> checkpoints,
        Func<string, CancellationToken, IReadOnlyList<LayerEntanglement>> analyze,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoints);
        ArgumentNullException.ThrowIfNull(analyze);
        var points = new List<EmergencePoint>();
        foreach (string checkpoint in checkpoints)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var point = new EmergencePoint(checkpoint, analyze(checkpoint, cancellationToken));
            CheckSameLayers(points.FirstOrDefault() ?? point, point);
            points.Add(point);
        }

        return points.Count > 0
            ? new Emergence(points)
            : throw new ArgumentException("Name at least one checkpoint.", nameof(checkpoints));
    }

    /// <summary>One measure of one neuron at each checkpoint.</summary>
    /// <exception cref="ArgumentException">There is no such layer.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such neuron.</exception>
    public double[] Trajectory(string layer, int neuron, NeuronMeasure measure)
    {
        IReadOnlyList<LayerEntanglement> layers = Select(layer);
        ArgumentOutOfRangeException.ThrowIfNegative(neuron);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(neuron, layers[0].Neurons.Count);
        return [.. layers.Select(point => point.Neurons[neuron][measure])];
    }

    /// <summary>
    /// Share of the last checkpoint's Wasserstein neurons that are Wasserstein neurons already, at each checkpoint.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such layer.</exception>
    public double[] SettledShare(string layer)
    {
        IReadOnlyList<LayerEntanglement> layers = Select(layer);
        IReadOnlyList<int> final = layers[^1].WassersteinNeurons;
        return [.. layers.Select(point => (double)final.Intersect(point.WassersteinNeurons).Count() / final.Count)];
    }

    private LayerEntanglement[] Select(string layer)
    {
        LayerEntanglement[] layers =
            [.. Points.SelectMany(point => point.Layers.Where(candidate => candidate.Layer == layer))];
        return layers.Length > 0
            ? layers
            : throw new ArgumentException($"No layer '{layer}' was analyzed.", nameof(layer));
    }

    private static void CheckSameLayers(EmergencePoint first, EmergencePoint point)
    {
        if (!first.Layers.Select(Key).SequenceEqual(point.Layers.Select(Key)))
        {
            throw new SparseExpansionException(
                $"Checkpoint '{point.Checkpoint}' has other layers or numbers of neurons than '{first.Checkpoint}'; "
                + "compare checkpoints of one model.");
        }

        static (string, int) Key(LayerEntanglement layer) => (layer.Layer, layer.Neurons.Count);
    }
}
