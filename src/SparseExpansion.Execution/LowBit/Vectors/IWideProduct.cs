using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Products of codes and rounded tokens, 64 columns in a vector.</summary>
internal unsafe interface IWideProduct
{
    /// <summary>Sixteen sums of four products each.</summary>
    static abstract Vector512<int> Multiply(Vector512<byte> codes, sbyte* tokens);

    /// <summary>The same of 128 columns, in sums of eight products.</summary>
    static abstract Vector512<int> Multiply(Vector512<byte> lower, Vector512<byte> upper, sbyte* tokens);
}
