using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Experiments;

/// <summary>
/// Sparsifies chosen neurons of a live layer and leaves the others dense, to see how much a model depends on their
/// weights. The whole weight is pruned once for each target, and only the chosen rows are taken over. arXiv 2405.15756,
/// ablations.
/// </summary>
/// <remarks>
/// To give every neuron the same sparsity, use a target that counts by row: <c>SparsityTarget.Unstructured(0.9,
/// SparsityScope.Row)</c>. Several layers are ablated together by several <see cref="Apply"/> at a time. Not safe for
/// concurrent use.
/// </remarks>
public sealed class NeuronAblation : IDisposable
{
    private readonly ISparsifier _sparsifier;
    private readonly IActivationStatistic _statistic;
    private (SparsityTarget Target, PruningResult Result)? _pruned;
    private bool _applied;

    private NeuronAblation(string layer, Tensor weight, ISparsifier sparsifier, IActivationStatistic statistic) =>
        (Layer, Weight, _sparsifier, _statistic) = (layer, weight, sparsifier, statistic);

    /// <summary>Module path of the layer.</summary>
    public string Layer { get; }

    /// <summary>The live weight, [out_features, in_features].</summary>
    public Tensor Weight { get; }

    /// <summary>Gathers the pruner's statistic of the layer's inputs.</summary>
    /// <param name="layer">Module path, for messages.</param>
    /// <param name="weight">The live weight of the model, [out_features, in_features]; it must outlive this
    /// object.</param>
    /// <param name="tokens">Inputs of the layer, for the pruner.</param>
    /// <param name="sparsifier">The pruner.</param>
    /// <param name="chunkTokens">Tokens on the weight's device at a time.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    /// <exception cref="CalibrationException">Tokens of another width than the weight's.</exception>
    public static NeuronAblation Prepare(
        string layer, Tensor weight, ITokenSource tokens, ISparsifier sparsifier, int chunkTokens = 4_096,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(sparsifier);
        var dense = new DenseLinear(layer, weight);
        dense.CheckTokens(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkTokens, 1);
        IActivationStatistic statistic = ExpertStatistics.ObserveAll(
            () => PruningChecks.CreateStatistic(sparsifier, dense.Describe()), tokens, chunkTokens, weight.device,
            cancellationToken);
        return new NeuronAblation(layer, weight, sparsifier, statistic);
    }

    /// <summary>Sparsifies neurons in place until the returned object is disposed.</summary>
    /// <param name="neurons">Rows of the weight, each once; none at all is allowed: the dense reference.</param>
    /// <param name="target">Sparsity of the whole weight.</param>
    /// <param name="cancellationToken">Passed to the pruner.</param>
    /// <returns>Disposing it restores the rows bit by bit.</returns>
    /// <exception cref="InvalidOperationException">The neurons of an earlier call are still sparse.</exception>
    public IDisposable Apply(
        IReadOnlyList<int> neurons, SparsityTarget target, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(neurons);
        ArgumentNullException.ThrowIfNull(target);
        if (_applied)
        {
            throw new InvalidOperationException(
                $"Neurons of layer '{Layer}' are sparse already; dispose the result of the earlier call.");
        }

        int[] rows = neurons.Count == 0
            ? []
            : AnalysisGuard.CheckNeurons(Layer, checked((int)Weight.shape[0]), neurons);
        Tensor pruned = Prune(target, cancellationToken);
        var ablated = new AblatedRows(Weight, pruned, rows, () => _applied = false);
        _applied = true;
        return ablated;
    }

    /// <summary>Evaluates the model while neurons are sparse, and restores them whatever happens.</summary>
    /// <param name="neurons">Rows of the weight, each once; none at all is allowed: the dense reference.</param>
    /// <param name="target">Sparsity of the whole weight.</param>
    /// <param name="evaluate">Measures the model, for example its perplexity.</param>
    /// <param name="cancellationToken">Passed to the pruner and to <paramref name="evaluate"/>.</param>
    public double Evaluate(
        IReadOnlyList<int> neurons, SparsityTarget target, Func<CancellationToken, double> evaluate,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(evaluate);
        using IDisposable ablated = Apply(neurons, target, cancellationToken);
        return evaluate(cancellationToken);
    }

    /// <summary>Evaluates the model for every selection at every sparsity.</summary>
    /// <param name="selections">Neurons by the name of their selector.</param>
    /// <param name="sparsities">Shares of weights that go from every chosen neuron, in [0, 1).</param>
    /// <param name="evaluate">Measures the model, for example its perplexity.</param>
    /// <param name="cancellationToken">Observed between evaluations.</param>
    /// <returns>One point for each selection and sparsity; sparsities vary most slowly, so that each is pruned
    /// once.</returns>
    public IReadOnlyList<AblationPoint> Sweep(
        IReadOnlyDictionary<string, IReadOnlyList<int>> selections,
        IReadOnlyList<double> sparsities,
        Func<CancellationToken, double> evaluate,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selections);
        ArgumentNullException.ThrowIfNull(sparsities);
        var points = new List<AblationPoint>(selections.Count * sparsities.Count);
        foreach (double sparsity in sparsities)
        {
            SparsityTarget target = SparsityTarget.Unstructured(sparsity, SparsityScope.Row);
            foreach ((string selector, IReadOnlyList<int> neurons) in selections)
            {
                cancellationToken.ThrowIfCancellationRequested();
                points.Add(new AblationPoint(
                    Layer, selector, sparsity, neurons.Count, Evaluate(neurons, target, evaluate, cancellationToken)));
            }
        }

        return points;
    }

    /// <summary>
    /// Frees the pruner's statistic and the pruned weight. Does not restore what <see cref="Apply"/> has made sparse.
    /// </summary>
    public void Dispose()
    {
        _statistic.Dispose();
        _pruned?.Result.Dispose();
        _pruned = null;
    }

    private Tensor Prune(SparsityTarget target, CancellationToken cancellationToken)
    {
        if (_pruned is { } known && known.Target == target)
        {
            return known.Result.Weight;
        }

        PruningResult result = PrunerCalls.Prune(_sparsifier, Weight, _statistic, target, cancellationToken);
        _pruned?.Result.Dispose();
        _pruned = (target, result);
        return result.Weight;
    }
}
