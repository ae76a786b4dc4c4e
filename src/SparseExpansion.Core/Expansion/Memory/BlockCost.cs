namespace SparseExpansion.Expansion.Memory;

/// <summary>Memory and work that a step takes on expanded blocks.</summary>
/// <param name="Name">Name of the stage.</param>
/// <param name="Bytes">Memory at the largest block, without what is resident.</param>
/// <param name="Operations">Floating-point operations of all blocks.</param>
internal sealed record BlockCost(string Name, long Bytes, double Operations);
