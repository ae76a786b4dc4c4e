namespace SparseExpansion.Expansion.Memory;

/// <summary>Memory and work that one stage of an expansion takes.</summary>
/// <param name="Name">Name of the work.</param>
/// <param name="Bytes">Memory at the stage's largest layer, without what is resident all the time.</param>
/// <param name="Passes">Number of times that the calibration tokens stream through at that layer.</param>
/// <param name="Seconds">Estimated time over the whole expansion.</param>
public sealed record MemoryStage(string Name, long Bytes, int Passes, double Seconds);
