using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.Reports;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>Refinement of routers in an expansion and in its report.</summary>
public static class RefinementExtensions
{
    /// <summary>
    /// Lets routers learn from the errors of their experts: each group's router is fitted anew to which expert serves a
    /// token best, and kept where held-out tokens lose less by it. Off without this call, as in the paper. Takes 1 +
    /// rounds more prunings of every layer.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="options">Rounds and held-out share; null for the defaults.</param>
    /// <returns>The same expansion.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ExpansionBuilder<TModel> RefineRouter<TModel>(
        this ExpansionBuilder<TModel> builder, RouterRefinementOptions? options = null)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new RouterRefinementOptions();
        options.Validate();
        return builder.With(new RefinementStep(options));
    }

    extension(LayerReport layer)
    {
        /// <summary>
        /// Result of refinement for the router of the layer's group; null where it was not asked for.
        /// </summary>
        public RouterRefinement? RouterRefinement =>
            ReportParts.Get<RouterRefinement>(layer.Parts, RefinementStep.PartName);
    }
}
