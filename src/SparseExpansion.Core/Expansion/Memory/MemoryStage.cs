namespace SparseExpansion.Expansion.Memory;

/// <summary>What one stage of an expansion takes.</summary>
/// <param name="Name">What is done.</param>
/// <param name="Bytes">Memory at the stage's largest layer, without what is resident all the time.</param>
/// <param name="Passes">How often the calibration tokens stream through at that layer.</param>
/// <param name="Seconds">Estimated time over the whole expansion.</param>
public sealed record MemoryStage(string Name, long Bytes, int Passes, double Seconds);
