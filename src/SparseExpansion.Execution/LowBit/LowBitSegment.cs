namespace SparseExpansion.Execution.LowBit;

/// <summary>One weight and the tokens that it multiplies.</summary>
internal struct LowBitSegment
{
    /// <summary>Codes under masks, dense ones, or strips.</summary>
    public object Weight;

    /// <summary>First token in the order.</summary>
    public int FirstToken;

    /// <summary>Tokens.</summary>
    public int Tokens;

    /// <summary>Items of the segments before this one.</summary>
    public int FirstItem;

    /// <summary>Items of this segment.</summary>
    public int Items;
}
