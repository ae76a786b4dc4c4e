namespace SparseExpansion.Layers.Surgery;

/// <summary>A mixture and the place that it takes.</summary>
internal sealed record Replacement(ModuleSlot Slot, SparseMixtureLayer Mixture);
