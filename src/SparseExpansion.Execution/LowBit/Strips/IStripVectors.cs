namespace SparseExpansion.Execution.LowBit.Strips;

/// <summary>Arithmetic on the rows of a strip in vectors of one width, so that the product is written once.</summary>
/// <typeparam name="TInteger">A vector of integers, of whatever width they have at the moment.</typeparam>
/// <typeparam name="TReal">A vector of float32, one for each row.</typeparam>
internal unsafe interface IStripVectors<TInteger, TReal>
    where TInteger : struct
    where TReal : struct
{
    /// <summary>Rows of a vector.</summary>
    static abstract int Rows { get; }

    /// <summary>Four codes of each row, and four in the upper halves.</summary>
    static abstract TInteger Load(byte* unit);

    /// <summary>The codes in the lower halves.</summary>
    static abstract TInteger Lower(TInteger pairs);

    /// <summary>The codes in the upper halves.</summary>
    static abstract TInteger Upper(TInteger pairs);

    /// <summary>sum + codes · tokens in 16 bits, two sums for each row.</summary>
    static abstract TInteger Add(TInteger sum, TInteger codes, sbyte* tokens);

    /// <summary>total + the two sums of each row, in 32 bits.</summary>
    static abstract TInteger Widen(TInteger total, TInteger sum);

    /// <summary>result + s(a · total − z · ones) with the scales and zero points of a block.</summary>
    /// <param name="result">What the blocks before gave.</param>
    /// <param name="total">Products of the codes.</param>
    /// <param name="scales">The first row's scale.</param>
    /// <param name="zeros">The first row's zero point.</param>
    /// <param name="scale">a, the token's scale.</param>
    /// <param name="ones">What a weight of one everywhere would give.</param>
    static abstract TReal Scale(TReal result, TInteger total, ushort* scales, byte* zeros, float scale, float ones);

    /// <summary>Writes a number for each row.</summary>
    static abstract void Store(TReal result, float* target);
}
