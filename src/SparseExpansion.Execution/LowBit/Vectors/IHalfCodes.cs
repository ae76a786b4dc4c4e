using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Dense codes in memory, multiplied with vectors of 256 bits.</summary>
internal unsafe interface IHalfCodes
{
    /// <summary>Bytes that the codes of so many columns take.</summary>
    static abstract nint BytesOf(nint columns);

    /// <summary>Sums of the products of a step's columns.</summary>
    static abstract Vector256<int> Multiply<TStep>(byte* codes, sbyte* tokens)
        where TStep : IStep;
}
