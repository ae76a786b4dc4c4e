using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using static TorchSharp.torch;

namespace SparseExpansion;

/// <summary>Division of weights among linears and experts, in an expansion.</summary>
public static class AllocationExtensions
{
    /// <summary>
    /// Divides the weights that may stay among the linears, by a pass over the dense model; needs an unstructured
    /// target. Without this call every linear gets the same sparsity, as in the paper.
    /// </summary>
    /// <typeparam name="TModel">The model's type.</typeparam>
    /// <param name="builder">The expansion.</param>
    /// <param name="allocation">The method.</param>
    /// <returns>The same expansion.</returns>
    public static ExpansionBuilder<TModel> Allocate<TModel>(
        this ExpansionBuilder<TModel> builder, SparsityAllocation allocation)
        where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(allocation);
        return allocation.Method == AllocationMethod.Uniform
            ? builder.Without<AllocationStep>()
            : builder.With(new AllocationStep(allocation));
    }
}
