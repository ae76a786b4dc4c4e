using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>A place that can hold any module: the reference is exchanged.</summary>
internal sealed class ReplacingSlot(string name, nn.Module<Tensor, Tensor> dense, Action<nn.Module<Tensor, Tensor>> assign)
    : ModuleSlot(name, dense)
{
    public override void Install(SparseMixtureLayer mixture) => assign(mixture);

    public override void Restore() => assign(Dense);
}
