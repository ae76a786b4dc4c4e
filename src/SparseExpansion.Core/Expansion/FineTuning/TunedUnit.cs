using TorchSharp.Modules;

namespace SparseExpansion.Expansion;

/// <summary>What fine-tuning left in a unit beside its mixtures.</summary>
/// <param name="Report">What it did.</param>
/// <param name="Norms">The model's parameters that it trained, in the order in which they are found.</param>
internal sealed record TunedUnit(BlockFineTuning Report, IReadOnlyList<Parameter> Norms);
