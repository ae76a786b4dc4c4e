using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Transformers;

/// <summary>Where and in which type a model's weights are made. They are left unset: a checkpoint or an initialisation fills them.</summary>
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
