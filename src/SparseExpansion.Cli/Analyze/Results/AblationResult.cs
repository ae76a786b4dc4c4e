using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Analyze.Results;

/// <summary>Perplexity with a fraction of the neurons of all analyzed layers sparse, and the rest dense.</summary>
/// <param name="DensePerplexity">Perplexity of the dense model, on the same windows.</param>
/// <param name="Windows">Windows that perplexity was measured on.</param>
/// <param name="Neurons">Sparse neurons of all layers together.</param>
/// <param name="Points">One for each selector, draw and sparsity.</param>
internal sealed record AblationResult(
    double DensePerplexity, int Windows, int Neurons, IReadOnlyList<AblationResult.Point> Points)
{
    public const string Random = "random";
    public const string TopWasserstein = "top W1";

    /// <summary>Ways to choose neurons, other than at random.</summary>
    public static IReadOnlyDictionary<string, NeuronMeasure> Selectors { get; } = new Dictionary<string, NeuronMeasure>
    {
        [TopWasserstein] = NeuronMeasure.Wasserstein,
        ["top |mean|"] = NeuronMeasure.Mean,
        ["top variance"] = NeuronMeasure.Variance,
        ["top weight norm"] = NeuronMeasure.WeightNorm,
    };

    /// <summary>Perplexities of one selector at one sparsity: one, or one for each random draw.</summary>
    public double[] Perplexities(string selector, double sparsity) =>
        [.. Points.Where(point => point.Selector == selector && point.Sparsity == sparsity).Select(point => point.Perplexity)];

    /// <summary>All sparsities, ascending.</summary>
    public double[] Sparsities() => [.. Points.Select(point => point.Sparsity).Distinct().Order()];

    /// <summary>One measurement.</summary>
    /// <param name="Selector">Way the neurons were chosen.</param>
    /// <param name="Draw">Number of the draw; 0 if nothing is drawn.</param>
    /// <param name="Sparsity">Fraction of weights removed from every chosen neuron.</param>
    /// <param name="Perplexity">Perplexity of the model.</param>
    internal sealed record Point(string Selector, int Draw, double Sparsity, double Perplexity);
}
