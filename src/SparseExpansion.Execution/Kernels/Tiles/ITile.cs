namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>One float32 sum per token of a tile, held in registers.</summary>
internal unsafe interface ITile<TSelf>
    where TSelf : struct, ITile<TSelf>
{
    /// <summary>Tokens.</summary>
    static abstract int Lanes { get; }

    /// <summary>Reads the sums.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>Sums plus weight × tokens; the weight is the <paramref name="index"/>-th value.</summary>
    static abstract TSelf MultiplyAdd<TFormat>(byte* values, nint index, float* tokens, TSelf sum)
        where TFormat : IWeightFormat;

    /// <summary>Lane by lane sum.</summary>
    static abstract TSelf Add(TSelf left, TSelf right);

    /// <summary>Writes the sums.</summary>
    static abstract void Store(TSelf sum, float* target);
}
