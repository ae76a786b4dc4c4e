using SparseExpansion.Expansion;
using SparseExpansion.Expansion.DenseQuantization;
using SparseExpansion.Expansion.Reports;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>The rounding of weights that stay dense, in an expansion and in its report.</summary>
public static class DenseQuantizationExtensions
{
    /// <summary>
    /// Rounds the linears that are not expanded to few bits, and embeddings, so that the model is small as a whole. Off
    /// without this call. Linears are rounded column by column, later weights making up for what rounding loses, by the
    /// inputs that the compressed model before them gives (GPTQ, Frantar et al. 2022, arXiv 2210.17323); embeddings
    /// to the nearest values, unless they are the output projection too. The model keeps the rounded values as it kept
    /// the former ones; <see cref="ExpansionResult.Save"/> stores them in codes.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="options">Bits, groups, layers; null for the defaults.</param>
    /// <returns>The same expansion.</returns>
    /// <remarks>
    /// What runs before the experts of a block is rounded before they are made, so that they are made for it. Linears
    /// that no calibration token reaches are rounded to the nearest values. <see cref="ExpansionResult.Revert"/> puts
    /// the weights back. Weights of a model that is trained or converted to float16 afterwards are no values of codes
    /// any more, and are saved as they are.
    /// </remarks>
    /// <exception cref="ArgumentException">An option is null or out of range.</exception>
    public static ExpansionBuilder<TModel> QuantizeDense<TModel>(
        this ExpansionBuilder<TModel> builder, DenseQuantizationOptions? options = null)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new DenseQuantizationOptions();
        options.Validate();
        return builder.With(new DenseQuantizationStep(options));
    }

    extension(ExpansionReport report)
    {
        /// <summary>The dense weights that were rounded, in that order; empty where it was not asked for.</summary>
        public IReadOnlyList<RoundedLayer> DenseQuantization =>
            report.Parts.GetValueOrDefault(DenseQuantizationStep.PartName) is List<object> blocks
            ? [.. blocks.SelectMany(block => ReportParts.As<RoundedLayer[]>(block)!)]
            : [.. (ReportParts.Get<RoundedLayer[][]>(report.Parts, DenseQuantizationStep.PartName) ?? []).SelectMany(block => block)];
    }
}
