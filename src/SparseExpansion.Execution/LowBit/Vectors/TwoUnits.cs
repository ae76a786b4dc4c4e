namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Groups of 128 columns and more.</summary>
internal readonly struct TwoUnits : IStep
{
    public static int Units => 2;
}
