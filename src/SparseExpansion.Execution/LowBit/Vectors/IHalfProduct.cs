using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Products of codes and rounded tokens, 32 columns in a vector.</summary>
internal unsafe interface IHalfProduct
{
    /// <summary>Eight sums of eight products each, of 64 columns.</summary>
    static abstract Vector256<int> Multiply(Vector256<byte> lower, Vector256<byte> upper, sbyte* tokens);
}
