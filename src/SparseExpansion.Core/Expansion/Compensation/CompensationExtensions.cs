using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Compensation;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>Error compensation in an expansion.</summary>
public static class CompensationExtensions
{
    /// <summary>
    /// Lets experts make up for what was lost before them: each is pruned from the weight that brings its inputs
    /// nearest to the outputs of the dense model. Off without this call, as in the paper. Layers of a block are then
    /// calibrated on its expanded layers, whatever <see cref="ExpansionOptions.WithinBlock"/> says; the dense model
    /// runs beside the expanded one.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="options">Damping; null for the defaults.</param>
    /// <returns>The same expansion.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ExpansionBuilder<TModel> CompensateErrors<TModel>(
        this ExpansionBuilder<TModel> builder, ErrorCompensationOptions? options = null)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new ErrorCompensationOptions();
        options.Validate();
        return builder.With(new CompensationStep(options));
    }
}
