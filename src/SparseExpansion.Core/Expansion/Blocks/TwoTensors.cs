using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A hidden state and something else, such as attention weights.</summary>
internal sealed class TwoTensors : IBlockOutput<(Tensor Hidden, Tensor Other)>
{
    public static Tensor First((Tensor Hidden, Tensor Other) output) => output.Hidden;

    public static (Tensor Hidden, Tensor Other) With((Tensor Hidden, Tensor Other) output, Tensor first) =>
        (first, output.Other);
}
