namespace SparseExpansion.Layers.Surgery;

/// <summary>A mixture and the place that it takes.</summary>
internal sealed record Replacement(ModuleSlot Slot, SparseMixtureLayer Mixture)
{
    public void Install() => Slot.Install(Mixture);

    /// <summary>Does something with the dense layers back in their places, and installs the mixtures again.</summary>
    public static T WithDense<T>(IReadOnlyList<Replacement> replacements, Func<T> action)
    {
        foreach (Replacement replacement in replacements)
        {
            replacement.Slot.Restore();
        }

        try
        {
            return action();
        }
        finally
        {
            foreach (Replacement replacement in replacements)
            {
                replacement.Install();
            }
        }
    }

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
