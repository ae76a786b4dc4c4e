namespace SparseExpansion.Execution.LowBit.Tokens;

/// <summary>Even features before odd ones, as <see cref="RoundedTokens.Paired"/> holds them.</summary>
internal readonly unsafe struct PairOrder : ITokenOrder
{
    public static sbyte* Codes(RoundedTokens tokens, int token) => tokens.Paired(token);
}
