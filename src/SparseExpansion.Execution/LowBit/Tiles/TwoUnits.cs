namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Groups of 128 columns and more.</summary>
internal readonly struct TwoUnits : IStep
{
    public static int Units => 2;
}
