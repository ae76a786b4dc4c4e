using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels;

/// <summary>The form of one stored weight value in memory, so that a kernel is written once for all of them.</summary>
internal unsafe interface IWeightFormat : IValueFormat
{
    /// <summary>The type of the values.</summary>
    static abstract ElementType DType { get; }

    /// <summary>
    /// Bit i is set if the i-th of the 64 values at <paramref name="source"/> is neither +0 nor −0.
    /// </summary>
    static abstract ulong NonZeroMask64(byte* source);

    /// <summary>True if the value at <paramref name="index"/> is neither +0 nor −0.</summary>
    static abstract bool IsNonZero(byte* source, nint index);

    /// <summary>Copies one value bit by bit.</summary>
    static abstract void Copy(byte* source, nint from, byte* target, nint to);

    /// <summary>One value as float32 in all lanes.</summary>
    static abstract Vector128<float> Broadcast128(byte* source, nint index);

    /// <summary>One value as float32 in all lanes.</summary>
    static abstract Vector256<float> Broadcast256(byte* source, nint index);

    /// <summary>One value as float32 in all lanes.</summary>
    static abstract Vector512<float> Broadcast512(byte* source, nint index);
}
