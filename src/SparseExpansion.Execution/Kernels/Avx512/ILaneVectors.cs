using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Avx512;

/// <summary>
/// One 512-bit vector for each token of a small tile, held in registers: sixteen
/// of its features, or sixteen of its partial sums.
/// </summary>
internal unsafe interface ILaneVectors<TSelf>
    where TSelf : struct, ILaneVectors<TSelf>
{
    /// <summary>Tokens.</summary>
    static abstract int Lanes { get; }

    /// <summary>Reads the vectors of the tokens, <paramref name="stride"/> floats apart.</summary>
    static abstract TSelf Load(float* source, nint stride);

    /// <summary>Sums plus weights × tokens.</summary>
    static abstract TSelf MultiplyAdd(Vector512<float> weights, TSelf tokens, TSelf sums);

    /// <summary>Writes the vectors, <paramref name="stride"/> floats apart.</summary>
    static abstract void Store(TSelf vectors, float* target, nint stride);
}
