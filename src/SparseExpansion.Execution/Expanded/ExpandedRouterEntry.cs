namespace SparseExpansion.Execution.Expanded;

/// <summary>One router in <c>expansion.json</c>; the layers of an input group name the same one.</summary>
/// <param name="Kind">Kind by which it is restored.</param>
/// <param name="InputFeatures">Width of a token.</param>
/// <param name="Experts">Number of experts.</param>
/// <param name="Tensors">Names of its tensors.</param>
internal sealed record ExpandedRouterEntry(string Kind, int InputFeatures, int Experts, IReadOnlyList<string> Tensors);
