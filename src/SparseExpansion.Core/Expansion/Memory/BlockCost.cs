namespace SparseExpansion.Expansion.Memory;

/// <summary>What a step's work on expanded blocks takes.</summary>
/// <param name="Name">Name of the stage.</param>
/// <param name="Bytes">Memory at the largest block, without what is resident.</param>
/// <param name="Operations">Floating-point operations of all blocks.</param>
internal sealed record BlockCost(string Name, long Bytes, double Operations);
