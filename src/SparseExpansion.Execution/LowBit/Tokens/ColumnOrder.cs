namespace SparseExpansion.Execution.LowBit.Tokens;

/// <summary>Features as they follow each other.</summary>
internal readonly unsafe struct ColumnOrder : ITokenOrder
{
    public static sbyte* Codes(RoundedTokens tokens, int token) => tokens.Codes(token);
}
