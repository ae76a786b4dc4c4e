using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>Output of a block.</summary>
/// <typeparam name="TResult">A tensor, or a tuple that begins with one.</typeparam>
internal interface IBlockOutput<TResult>
{
    /// <summary>The hidden state in it.</summary>
    static abstract Tensor First(TResult output);

    /// <summary>The same with another hidden state.</summary>
    static abstract TResult With(TResult output, Tensor first);
}
