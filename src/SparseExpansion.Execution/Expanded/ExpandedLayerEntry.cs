using System.Text.Json.Serialization;

namespace SparseExpansion.Execution.Expanded;

/// <summary>One mixture layer in <c>expansion.json</c>.</summary>
/// <param name="Name">Module path of the linear that it replaces.</param>
/// <param name="Router">Index of the router in the same file.</param>
/// <param name="Experts">Number of experts.</param>
/// <param name="InFeatures">Columns of every expert.</param>
/// <param name="OutFeatures">Rows of every expert.</param>
/// <param name="Bias">True if there is a bias.</param>
/// <param name="Storage">Storage of the experts: the name of the layout of their tensors.</param>
/// <param name="ExpertBias">True if each expert has a bias of its own, whether the linear has one or not; left out of
/// the file where it is false.</param>
internal sealed record ExpandedLayerEntry(
    string Name, int Router, int Experts, long InFeatures, long OutFeatures, bool Bias, string Storage,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ExpertBias = false);
