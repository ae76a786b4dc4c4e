namespace SparseExpansion.Benchmarks.Targets;

/// <summary>A dense and a sparse way to the same result.</summary>
public sealed record TargetCase(string Name, double Target, Action Dense, Action Sparse);
