namespace SparseExpansion.Benchmarks.Targets;

/// <summary>A dense and a sparse computation of the same result.</summary>
public sealed record TargetCase(string Name, double Target, Action Dense, Action Sparse);
