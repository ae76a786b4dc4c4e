namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Units of 64 columns that share scales, as a constant that the compiler knows.</summary>
internal interface IStep
{
    static abstract int Units { get; }
}
