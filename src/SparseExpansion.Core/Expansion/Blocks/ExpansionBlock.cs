using SparseExpansion.Calibration.Capture;
using SparseExpansion.Layers.Surgery;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A part of the model that is expanded as a whole: a block, or the model itself.</summary>
/// <param name="Calibration">Runs the part.</param>
/// <param name="Slots">The targets in it; a block may have none.</param>
/// <param name="IsWholeModel">
/// True for the whole model, which takes the user's batches instead of hidden states.
/// </param>
internal sealed record ExpansionBlock(RunnablePart Calibration, IReadOnlyList<ModuleSlot> Slots, bool IsWholeModel)
{
    /// <summary>
    /// Module that is called for a block now: the block, or, where the block is nothing but a linear, the module in its
    /// place.
    /// </summary>
    public static Block InPlaceOf(Block block, IEnumerable<ModuleSlot> slots) =>
        slots.FirstOrDefault(slot => ReferenceEquals(slot.Dense, block.Module))?.Current is { } current
            && !ReferenceEquals(current, block.Module)
            ? BlockForms.TryCreate(current)!
            : block;
}
