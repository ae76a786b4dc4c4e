namespace SparseExpansion.Execution.LowBit.Tokens;

/// <summary>The order in which a token's features meet codes.</summary>
internal unsafe interface ITokenOrder
{
    /// <summary>The codes of a token.</summary>
    static abstract sbyte* Codes(RoundedTokens tokens, int token);
}
