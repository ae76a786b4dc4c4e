namespace SparseExpansion.Layers.Surgery;

/// <summary>A mixture and the place that it takes.</summary>
internal sealed record Replacement(ModuleSlot Slot, SparseMixtureLayer Mixture)
{
    public void Install() => Slot.Install(Mixture);

    /// <summary>Puts all dense layers back and frees the mixtures.</summary>
    public static void UndoAll(IEnumerable<Replacement> replacements)
    {
        foreach (Replacement replacement in replacements)
        {
            replacement.Slot.Restore();
            replacement.Mixture.Dispose();
        }
    }
}
