using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Blocks;

/// <summary>A hidden state and two things more.</summary>
internal sealed class ThreeTensors : IBlockOutput<(Tensor Hidden, Tensor One, Tensor Two)>
{
    public static Tensor First((Tensor Hidden, Tensor One, Tensor Two) output) => output.Hidden;

    public static (Tensor Hidden, Tensor One, Tensor Two) With((Tensor Hidden, Tensor One, Tensor Two) output, Tensor first) => (first, output.One, output.Two);
}
