using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Modules;

/// <summary>
/// Device and type of a model's new weights. They are left unset: a checkpoint or an initialization fills them.
/// </summary>
internal sealed record WeightPlacement(Device Device, ScalarType DType)
{
    /// <summary>A parameter that outlives the caller's dispose scopes.</summary>
    public Parameter Empty(params long[] shape)
    {
        var parameter = new Parameter(empty(shape, DType, Device));
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>A linear layer [outputs, inputs].</summary>
    public Linear Linear(long inputs, long outputs, bool bias) =>
        nn.Linear(Empty(outputs, inputs), bias ? Empty(outputs) : null);
}
