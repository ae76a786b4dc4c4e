using SparseExpansion.Routing;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Two experts, one for each side of a plane through the origin; checkpoints can hold it.</summary>
internal sealed class SideRouter : RouterModule
{
    public const string Kind = "side";

    private readonly Tensor normal;

    public SideRouter(Tensor normal)
        : base(nameof(SideRouter))
    {
        this.normal = CopyForBuffer(normal, ScalarType.Float32);
        RegisterComponents();
    }

    public override int ExpertCount => 2;

    public override int InputFeatures => (int)normal.shape[0];

    public static SideRouter FromState(RouterState state) => new(state.Require("normal", state.InputFeatures));

    public override RouterState GetState() =>
        new(Kind, InputFeatures, ExpertCount, new Dictionary<string, Tensor> { ["normal"] = normal });

    protected override Tensor Assign(Tensor tokens) =>
        tokens.to(ScalarType.Float32).mv(normal).gt(Scalars.Of(0)).to(ScalarType.Int64);
}
