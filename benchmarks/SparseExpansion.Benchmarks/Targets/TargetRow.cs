namespace SparseExpansion.Benchmarks.Targets;

/// <summary>One measured cell of the target table; times are medians in milliseconds.</summary>
public sealed record TargetRow(string Case, double DenseMs, double SparseMs, double Target)
{
    public double Ratio => DenseMs / SparseMs;

    public bool Met => Ratio >= Target;
}
