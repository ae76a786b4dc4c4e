namespace SparseExpansion.Analysis.Comparison;

/// <summary>Sparse against dense outputs of a layer, neuron by neuron over the same tokens.</summary>
public sealed record SparsityComparison
{
    /// <summary>Module path of the layer.</summary>
    public required string Layer { get; init; }

    /// <summary>Tokens of every expert.</summary>
    public required IReadOnlyList<long> TokensPerExpert { get; init; }

    /// <summary>One entry for each compared neuron.</summary>
    public required IReadOnlyList<NeuronComparison> Neurons { get; init; }

    /// <summary>√(mean squared error) over all compared neurons and tokens.</summary>
    public double RootMeanSquareError =>
        Math.Sqrt(Neurons.Average(neuron => neuron.RootMeanSquareError * neuron.RootMeanSquareError));

    /// <summary>
    /// Relative improvement of each neuron over a single expert: RI = RMSE(single expert) / RMSE(this). Above 1: better
    /// than without experts. arXiv 2405.15756.
    /// </summary>
    /// <param name="oneExpert">The same neurons with one expert for all tokens.</param>
    /// <returns>One ratio for each entry of <see cref="Neurons"/>; 1 where both
    /// errors are 0, ∞ where only this one is.</returns>
    /// <exception cref="ArgumentException"><paramref name="oneExpert"/> is of other neurons.</exception>
    public double[] RelativeImprovementOver(SparsityComparison oneExpert)
    {
        ArgumentNullException.ThrowIfNull(oneExpert);
        if (oneExpert.Layer != Layer
            || !oneExpert.Neurons.Select(neuron => neuron.Neuron)
                .SequenceEqual(Neurons.Select(neuron => neuron.Neuron)))
        {
            throw new ArgumentException(
                $"The comparison of layer '{oneExpert.Layer}' is not of the same neurons as that of layer '{Layer}'.",
                nameof(oneExpert));
        }

        return [.. oneExpert.Neurons.Zip(Neurons, (one, many) => Ratio(one.RootMeanSquareError, many.RootMeanSquareError))];
    }

    private static double Ratio(double one, double many) => one == many ? 1 : one / many;
}
