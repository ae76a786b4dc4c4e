using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.LowBit.Vectors;

/// <summary>Sums of products in vectors of one width, so that tiles are written once for all of them.</summary>
/// <typeparam name="TVector">A vector of float32.</typeparam>
internal unsafe interface ICodeVectors<TVector>
    where TVector : struct
{
    /// <summary>Lanes of a vector.</summary>
    static abstract int Width { get; }

    /// <summary>Numbers from memory.</summary>
    static abstract TVector Load(float* source);

    /// <summary>Adds the products of a step's columns, times the scale of their group and that of the token.</summary>
    static abstract TVector Add<TStep>(
        TVector sum, byte* codes, sbyte* tokens, float* scale, float* tokenScale)
        where TStep : IStep;

    /// <summary>sum − excess · ones.</summary>
    static abstract TVector Subtract(TVector sum, TVector excess, TVector ones);

    /// <summary>The sum of the lanes.</summary>
    static abstract float One(TVector sum);

    /// <summary>The sums of the lanes of four vectors.</summary>
    static abstract Vector128<float> Four(TVector a, TVector b, TVector c, TVector d);
}
