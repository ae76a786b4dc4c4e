using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>A place that can hold any module: the reference is exchanged.</summary>
internal sealed class ReplacingSlot(
    string name, nn.Module<Tensor, Tensor> dense, Action<nn.Module<Tensor, Tensor>> assign)
    : ModuleSlot(name, dense)
{
    private nn.Module<Tensor, Tensor> _current = dense;

    public override nn.Module<Tensor, Tensor> Current => _current;

    public override void Install(SparseMixtureLayer mixture) => Assign(mixture);

    public override void Restore() => Assign(Dense);

    private void Assign(nn.Module<Tensor, Tensor> module)
    {
        assign(module);
        _current = module;
    }
}
