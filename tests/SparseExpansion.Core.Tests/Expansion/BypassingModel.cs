using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>A model that invokes its second linear by <c>forward</c>, which hooks do not see.</summary>
internal sealed class BypassingModel : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> seen = nn.Linear(GatedModel.Width, GatedModel.Width);
    private readonly nn.Module<Tensor, Tensor> unseen = nn.Linear(GatedModel.Width, GatedModel.Width);

    public BypassingModel()
        : base(nameof(BypassingModel)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return unseen.forward(seen.call(input)).MoveToOuterDisposeScope();
    }
}
