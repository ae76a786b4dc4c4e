using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace CustomPruner;

#region custom-router
/// <summary>Routes by the sides of hyperplanes on which a token lies: n planes make 2ⁿ experts.</summary>
public sealed class HyperplaneRouter : RouterModule
{
    public const string Kind = "hyperplane";

    private readonly Tensor normals;
    private readonly Tensor offsets;

    /// <param name="normals">[planes, in_features].</param>
    /// <param name="offsets">[planes].</param>
    public HyperplaneRouter(Tensor normals, Tensor offsets)
        : base(nameof(HyperplaneRouter))
    {
        this.normals = CopyForBuffer(normals, ScalarType.Float32);
        this.offsets = CopyForBuffer(offsets, ScalarType.Float32);
        RegisterComponents();
    }

    public override int ExpertCount => 1 << (int)normals.shape[0];

    public override int InputFeatures => (int)normals.shape[1];

    public override RouterState GetState() => new(
        Kind, InputFeatures, ExpertCount, new Dictionary<string, Tensor> { ["normals"] = normals, ["offsets"] = offsets });

    /// <summary>Restores a router from a checkpoint; give it to <see cref="RouterKinds.With"/>.</summary>
    public static HyperplaneRouter FromState(RouterState state)
    {
        int planes = int.Log2(state.ExpertCount);
        return new HyperplaneRouter(
            state.Require("normals", planes, state.InputFeatures), state.Require("offsets", planes));
    }

    protected override Tensor Assign(Tensor tokens)
    {
        Tensor above = tokens.to(ScalarType.Float32).matmul(normals.t()) > offsets;
        Tensor places = pow(2, TensorArithmetic.Range(normals.shape[0], device: tokens.device));
        return (above.to(ScalarType.Int64) * places).sum(1);
    }
}
#endregion
