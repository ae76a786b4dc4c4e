using System.Numerics;

namespace SparseExpansion.Execution.Dispatch;

/// <summary>Problems that share a kernel choice.</summary>
/// <param name="DType">Dtype of the values.</param>
/// <param name="Rows">Output features, by powers of two.</param>
/// <param name="Columns">Input features, by powers of two.</param>
/// <param name="Sparsity">Stored values per weight in steps of 1/16.</param>
/// <param name="Tokens">1, 2, 3 … 4, 5 … 8, then by powers of two; from 512 on one class.</param>
/// <param name="BFloat16Tokens">True if the tokens are bfloat16, which decides what the dense way may use.</param>
/// <param name="HasDense">True if there is a dense product to compare with.</param>
/// <param name="Threads">Threads to multiply with.</param>
/// <param name="Bits">Bits of a code, 0 for values.</param>
internal readonly record struct KernelClass(
    ElementType DType, int Rows, int Columns, int Sparsity, int Tokens, bool BFloat16Tokens, bool HasDense, int Threads,
    int Bits)
{
    private const int LargestTokens = 512;

    /// <summary>Number of tokens that represents the class when it is measured.</summary>
    public int Representative => 1 << Tokens;

    /// <summary>The class of a problem.</summary>
    public static KernelClass Of(PackedWeight weight, int tokens, bool bfloat16Tokens, ExecutionOptions options) => new(
        weight.DType,
        BitOperations.Log2((uint)weight.Rows),
        BitOperations.Log2((uint)weight.Columns),
        (int)Math.Round(16.0 * weight.NonZeroCount / ((double)weight.Rows * weight.Columns)),
        BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Min(tokens, LargestTokens))),
        bfloat16Tokens,
        options.Dense is not null,
        options.Degree,
        weight.Bits);
}
