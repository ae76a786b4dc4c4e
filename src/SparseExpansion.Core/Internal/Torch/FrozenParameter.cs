using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Internal.Torch;

/// <summary>Parameters without gradient, owned by their module and by no dispose scope.</summary>
internal static class FrozenParameter
{
    /// <summary>
    /// Makes a parameter of the tensor that <paramref name="create"/> returns; temporaries in between are freed.
    /// </summary>
    public static Parameter Create(Func<Tensor> create)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var parameter = new Parameter(create(), requires_grad: false);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
