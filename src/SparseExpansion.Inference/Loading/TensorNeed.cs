using SparseExpansion.Execution;

namespace SparseExpansion.Inference.Loading;

/// <summary>A tensor that a part of the model is made of.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Types">The types that it may have.</param>
/// <param name="Shape">Its sizes; null: they follow from other tensors, and are checked with them.</param>
internal sealed record TensorNeed(string Name, IReadOnlyList<ElementType> Types, IReadOnlyList<long>? Shape)
{
    private static readonly ElementType[] s_floating =
        [ElementType.Float32, ElementType.BFloat16, ElementType.Float16, ElementType.Float64];

    /// <summary>A tensor of numbers in floating point.</summary>
    public static TensorNeed Floating(string name, params IReadOnlyList<long> shape) => new(name, s_floating, shape);

    /// <summary>A flat array of one of some types.</summary>
    public static TensorNeed Array(string name, params IReadOnlyList<ElementType> types) => new(name, types, null);
}
