using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>Spreads stored values to the lanes of their columns, 32 columns at a time.</summary>
internal unsafe interface IExpander
{
    /// <summary>Bytes of a value.</summary>
    static abstract int Size { get; }

    /// <summary>
    /// The two vectors hold the 32 columns in the order of the kernel's tile, zero where the mask has no bit.
    /// </summary>
    static abstract void Spread(byte* values, byte* mask, out Vector512<float> first, out Vector512<float> second);
}
