using SparseExpansion.Expansion;
using SparseExpansion.Expansion.MeanCorrection;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>Biases that absorb mean output errors, in an expansion.</summary>
public static class MeanCorrectionExtensions
{
    /// <summary>
    /// Gives every expert a bias that absorbs the mean output error of its cluster, and prunes it by the statistic of
    /// its tokens less their mean. Off without this call, as in the paper. A token costs one addition for each output
    /// more.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="options">Fewest tokens of a mean; null for the defaults.</param>
    /// <returns>The same expansion.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ExpansionBuilder<TModel> CorrectMeans<TModel>(
        this ExpansionBuilder<TModel> builder, MeanCorrectionOptions? options = null)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new MeanCorrectionOptions();
        options.Validate();
        return builder.With(new MeanCorrectionStep(options));
    }
}
