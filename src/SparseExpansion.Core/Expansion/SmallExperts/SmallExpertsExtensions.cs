using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>Small experts in an expansion and in its report.</summary>
public static class SmallExpertsExtensions
{
    /// <summary>
    /// Sets the treatment of experts with few tokens: statistics that lean on their layer's, experts that are
    /// dissolved.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="options">Strength of the shrinkage, least tokens.</param>
    /// <returns>The same expansion.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ExpansionBuilder<TModel> WithExpertStatistics<TModel>(
        this ExpansionBuilder<TModel> builder, ExpertStatisticsOptions options)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return builder.With(new SmallExpertsStep(options));
    }

    extension(LayerReport layer)
    {
        /// <summary>
        /// Experts of the trained router that had too few tokens and were dissolved, see
        /// <see cref="ExpertStatisticsOptions.MinimumTokens"/>.
        /// </summary>
        public int DissolvedExperts => ReportParts.Get<int>(layer.Parts, SmallExpertsReport.Dissolved);

        /// <summary>
        /// Strength of the shrinkage of the experts' statistics in tokens, see <see cref="Shrinkage"/>; 0: none.
        /// </summary>
        public double PriorTokens => ReportParts.Get<double>(layer.Parts, SmallExpertsReport.Prior);
    }
}
