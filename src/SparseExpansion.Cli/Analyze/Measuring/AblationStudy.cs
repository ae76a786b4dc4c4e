using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Experiments;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Cli.Options;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Analyze.Measuring;

/// <summary>
/// Sparsifies chosen neurons of all layers together and measures perplexity. arXiv 2405.15756, ablations.
/// </summary>
internal sealed class AblationStudy(
    CausalLanguageModel model, AnalyzeSettings settings, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Perplexity is measured about a hundred times; this many tokens distinguish the selectors.</summary>
    private const int MostTokens = 16_384;

    private static readonly double[] s_sparsities = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99];

    private readonly List<(NeuronAblation Ablation, LayerEntanglement Dense)> _layers = [];

    /// <summary>Sparsifies part of a layer while its inputs are in memory.</summary>
    public void Add(DenseLinear layer, LayerEntanglement dense, ITokenSource calibration) => _layers.Add(
        (NeuronAblation.Prepare(layer.Name, layer.Weight, calibration, new SparseGptSparsifier(), cancellationToken: cancellationToken), dense));

    /// <summary>Measures every selector at every sparsity.</summary>
    /// <param name="windows">Windows to measure perplexity on; only the first of them, if they are many.</param>
    /// <param name="report">Receives the fraction done.</param>
    public AblationResult Run(TokenWindows windows, Action<double> report)
    {
        windows = windows.Take(Math.Max(1, MostTokens / windows.Context));
        double[] sparsities = [.. s_sparsities.Append(settings.Sparsity).Distinct().Order()];
        (string Selector, int Draw, int[][] Neurons)[] selections = [.. Selections()];
        var points = new List<AblationResult.Point>();
        foreach (double sparsity in sparsities)
        {
            foreach ((string selector, int draw, int[][] neurons) in selections)
            {
                report((double)points.Count / (sparsities.Length * selections.Length));
                points.Add(new AblationResult.Point(selector, draw, sparsity, Measure(neurons, sparsity, windows)));
            }
        }

        return new AblationResult(
            Perplexity(windows), windows.Count, selections[0].Neurons.Sum(layer => layer.Length), points);
    }

    public void Dispose() => _layers.ForEach(layer => layer.Ablation.Dispose());

    private IEnumerable<(string Selector, int Draw, int[][] Neurons)> Selections()
    {
        foreach ((string selector, NeuronMeasure measure) in AblationResult.Selectors)
        {
            yield return (
                selector, 0,
                [.. _layers.Select(layer => NeuronSelection.Top(layer.Dense, measure, settings.TopShare, byMagnitude: true).ToArray())]);
        }

        for (int draw = 0; draw < settings.RandomDraws; draw++)
        {
            long seed = settings.Seed + (long)draw * _layers.Count;
            yield return (
                AblationResult.Random, draw,
                [.. _layers.Select((layer, i) => NeuronSelection.Random(layer.Dense.Neurons.Count, settings.TopShare, seed + i).ToArray())]);
        }
    }

    private double Measure(int[][] neurons, double sparsity, TokenWindows windows)
    {
        // By row: every chosen neuron loses the same fraction of its weights.
        SparsityTarget target = SparsityTarget.Unstructured(sparsity, SparsityScope.Row);
        var applied = new List<IDisposable>(_layers.Count);
        try
        {
            applied.AddRange(
                _layers.Zip(neurons, (layer, chosen) => layer.Ablation.Apply(chosen, target, cancellationToken)));
            return Perplexity(windows);
        }
        finally
        {
            applied.ForEach(ablated => ablated.Dispose());
        }
    }

    private double Perplexity(TokenWindows windows) => Transformers.Perplexity.Evaluate(
        model, windows, new PerplexityOptions { BatchSize = BatchSize.For(windows.Context) }, cancellationToken: cancellationToken).Perplexity;
}
