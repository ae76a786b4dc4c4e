using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A hidden state alone.</summary>
internal sealed class OneTensor : IBlockOutput<Tensor>
{
    public static Tensor First(Tensor output) => output;

    public static Tensor With(Tensor output, Tensor first) => first;
}
