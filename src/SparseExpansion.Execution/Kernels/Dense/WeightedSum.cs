namespace SparseExpansion.Execution.Kernels.Dense;

/// <summary>Stored rows, the factors of some sums of them, and the sums.</summary>
internal unsafe struct WeightedSum
{
    /// <summary>The first value of the first row.</summary>
    public byte* Rows;

    /// <summary>Bytes from one row to the next.</summary>
    public nint RowStride;

    /// <summary>Number of rows.</summary>
    public int Count;

    /// <summary>Values in a row, and in a sum.</summary>
    public int Columns;

    /// <summary>The factor of the first row in the first sum; those of a sum lie side by side.</summary>
    public float* Factors;

    /// <summary>Numbers from the factors of one sum to those of the next.</summary>
    public nint FactorStride;

    /// <summary>The first sum, which is added to.</summary>
    public float* Target;

    /// <summary>Numbers from one sum to the next.</summary>
    public nint TargetStride;

    /// <summary>Number of sums.</summary>
    public int Sums;
}
