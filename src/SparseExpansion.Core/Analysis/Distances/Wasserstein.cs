using SparseExpansion.Internal.Torch;
using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Distances;

/// <summary>
/// Exact Wasserstein-1 distances of one-dimensional samples: W₁(F, G) = ∫|F(x) − G(x)| dx = ∫₀¹ |F⁻¹(p) − G⁻¹(p)| dp.
/// Nothing is sampled or binned.
/// </summary>
/// <remarks>
/// The distance of a neuron's standardized outputs to N(0,1) measures its entanglement: arXiv 2405.15756. A constant
/// sample has no shape to compare; its distance to the Gaussian is defined as 0, so that dead neurons never count as
/// entangled.
/// </remarks>
public static class Wasserstein
{
    /// <summary>W₁ between the sample, standardized to mean 0 and population variance 1, and N(0,1).</summary>
    /// <param name="values">At least two finite values, in any order.</param>
    /// <returns>The distance in standard deviations; 0 for a constant sample.</returns>
    /// <exception cref="ArgumentException">Fewer than two values, or one that is not finite.</exception>
    public static double ToGaussian(ReadOnlySpan<double> values)
    {
        double[] sorted = SortedCopy(values, 2, nameof(values));
        Moments moments = Moments.OfSorted(sorted);
        return moments.IsConstant
            ? 0
            : QuantileDistance.ToGaussian(
                sorted, moments.Mean, moments.StandardDeviation, GaussianQuantiles.For(sorted.Length));
    }

    /// <summary>W₁ of every neuron's outputs to N(0,1), standardized to mean 0 and population variance 1.</summary>
    /// <param name="outputs">Outputs of neurons for tokens, a matrix, floating dtype, any device; compared in float32,
    /// summed in float64. At least two tokens.</param>
    /// <param name="tokenDimension">The dimension that counts tokens: 0 for [tokens, neurons], what a layer puts out; 1
    /// for [neurons, tokens].</param>
    /// <returns>One distance a neuron, in standard deviations; 0 for a neuron that is constant.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The dimension is neither 0 nor 1.</exception>
    /// <exception cref="ArgumentException">Not a floating matrix, fewer than two tokens, or a value that is not
    /// finite.</exception>
    /// <remarks>Sorts on the device of <paramref name="outputs"/>; needs 16 bytes an element beside them.</remarks>
    public static double[] ToGaussian(Tensor outputs, int tokenDimension)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        if (tokenDimension is not (0 or 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(tokenDimension), tokenDimension,
                "Tokens are counted by dimension 0, [tokens, neurons], or 1, [neurons, tokens].");
        }

        if (outputs.dim() != 2 || !outputs.is_floating_point() || outputs.shape[tokenDimension] < 2)
        {
            throw new ArgumentException(
                "Outputs must be floating "
                + $"{(tokenDimension == 0 ? "[at least 2 tokens, neurons]" : "[neurons, at least 2 tokens]")}, "
                + $"got {TensorText.Of(outputs)}.", nameof(outputs));
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var rows = new HostRows(HostRows.Sort(
            (tokenDimension == 0 ? outputs.t() : outputs).detach().to(ScalarType.Float32)));
        GaussianQuantiles quantiles = GaussianQuantiles.For(rows.Width);
        var distances = new double[rows.Count];
        RowParallel.For(rows.Count, rows.Width, (from, to) =>
        {
            for (long row = from; row < to; row++)
            {
                Moments moments = Moments.OfSorted(rows[row]);
                distances[row] = QuantileDistance.ToGaussian(rows[row], moments, quantiles);
            }
        });
        int bad = Array.FindIndex(distances, double.IsNaN);
        return bad < 0
            ? distances
            : throw new ArgumentException($"Neuron {bad} has NaN or infinite values.", nameof(outputs));
    }

    /// <summary>W₁ between two samples, which may differ in size.</summary>
    /// <param name="first">At least one finite value, in any order.</param>
    /// <param name="second">At least one finite value, in any order.</param>
    /// <returns>The distance in the unit of the values.</returns>
    /// <exception cref="ArgumentException">An empty sample, or a value that is not finite.</exception>
    public static double Between(ReadOnlySpan<double> first, ReadOnlySpan<double> second) =>
        QuantileDistance.Between(SortedCopy(first, 1, nameof(first)), SortedCopy(second, 1, nameof(second)));

    private static double[] SortedCopy(ReadOnlySpan<double> values, int least, string name)
    {
        if (values.Length < least)
        {
            throw new ArgumentException($"Needs at least {least} values, got {values.Length}.", name);
        }

        foreach (double value in values)
        {
            if (!double.IsFinite(value))
            {
                throw new ArgumentException($"Values must be finite, got {value}.", name);
            }
        }

        double[] sorted = values.ToArray();
        Array.Sort(sorted);
        return sorted;
    }
}
