using SparseExpansion.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.FeedForward;

/// <summary>The non-linearities.</summary>
internal static class Activations
{
    /// <summary>Applies one; a new tensor.</summary>
    public static Tensor Apply(ActivationKind kind, Tensor input) => kind switch
    {
        ActivationKind.Silu => input.silu(),
        ActivationKind.Gelu => input.gelu(),
        ActivationKind.GeluTanh => input.gelu(GELU.Approximate.tanh),
        ActivationKind.Relu => input.relu(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
