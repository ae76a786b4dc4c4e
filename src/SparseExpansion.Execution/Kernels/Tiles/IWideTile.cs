using System.Runtime.Intrinsics;

namespace SparseExpansion.Execution.Kernels.Tiles;

/// <summary>One float32 sum per token of a tile, held in 512-bit registers.</summary>
internal unsafe interface IWideTile<TSelf>
    where TSelf : struct, IWideTile<TSelf>
{
    /// <summary>Tokens.</summary>
    static abstract int Lanes { get; }

    /// <summary>Reads the sums.</summary>
    static abstract TSelf Load(float* source);

    /// <summary>Sums plus weight × tokens; the weight is the same in all lanes.</summary>
    static abstract TSelf MultiplyAdd(Vector512<float> weight, float* tokens, TSelf sum);

    /// <summary>Lane by lane sum.</summary>
    static abstract TSelf Add(TSelf left, TSelf right);

    /// <summary>Writes the sums.</summary>
    static abstract void Store(TSelf sum, float* target);
}
