using SparseExpansion.Execution.LowBit.Tokens;
using SparseExpansion.Execution.LowBit.Vectors;

namespace SparseExpansion.Execution.LowBit.Tiles;

/// <summary>Multiplies a few dense rows of codes with a few tokens.</summary>
internal unsafe interface ITile
{
    /// <summary>Rows of a tile.</summary>
    const int Rows = 4;

    /// <summary>Sums of four rows and one token.</summary>
    /// <param name="rows">Rows of codes, one after another; all four are read.</param>
    /// <param name="scales">[4, 2, lanes]: scales and excess of each row.</param>
    /// <param name="grid">The weight's grid.</param>
    /// <param name="tokens">Rounded tokens.</param>
    /// <param name="token">The token.</param>
    /// <param name="sums">[4].</param>
    static abstract void One<TStep>(
        byte** rows, float* scales, GroupScales grid, RoundedTokens tokens, int token, float* sums)
        where TStep : IStep;

    /// <summary>Sums of four rows and two tokens, [2, 4].</summary>
    static abstract void Two<TStep>(
        byte** rows, float* scales, GroupScales grid, RoundedTokens tokens, int first, int second, float* sums)
        where TStep : IStep;
}
