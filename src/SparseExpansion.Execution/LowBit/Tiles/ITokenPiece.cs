namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Multiplies the row pieces of a packed weight with one token.</summary>
internal unsafe interface ITokenPiece
{
    /// <summary>Partial sums of a row.</summary>
    static abstract int Lanes { get; }

    /// <summary>Adds the products of a row piece.</summary>
    /// <param name="masks">Masks of the piece.</param>
    /// <param name="codes">Its codes, a byte each.</param>
    /// <param name="units">Masks to read; those behind them are empty.</param>
    /// <param name="scales">Scales of the piece's groups.</param>
    /// <param name="zeros">Zero points of the piece's groups.</param>
    /// <param name="unitShift">log₂ of the units of a group.</param>
    /// <param name="x">The token's codes.</param>
    /// <param name="a">The token's scale of every unit.</param>
    /// <param name="sum">[lanes].</param>
    /// <returns>The codes of the next row piece.</returns>
    static abstract byte* Add(
        ulong* masks, byte* codes, int units, ushort* scales, byte* zeros, int unitShift, sbyte* x, float* a,
        float* sum);

    /// <summary>The sum of the lanes less what counting from the zero point added.</summary>
    static abstract float Finish(float* sum, float* excess, float* ones, int lanes);
}
