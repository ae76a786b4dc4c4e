namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Groups of 64 columns.</summary>
internal readonly struct OneUnit : IStep
{
    public static int Units => 1;
}
