namespace SparseExpansion.Execution.Kernels;

/// <summary>The ways to multiply a packed weight with tokens.</summary>
internal enum KernelKind
{
    /// <summary>Reads the bitmask; token by token, weights spread to the columns they belong to.</summary>
    Expand,

    /// <summary>
    /// Reads one byte of column index per weight, listed from the bitmask block by block; true sparse FLOPs on tiles of
    /// tokens.
    /// </summary>
    Index,

    /// <summary>The same with indices that the weight keeps: nothing to list, for more memory.</summary>
    KeptIndex,

    /// <summary>Unpacks the weight and calls the dense matrix product.</summary>
    Dense,
}
