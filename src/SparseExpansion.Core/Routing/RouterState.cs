using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>All that a checkpoint keeps of a router.</summary>
/// <param name="Kind">Name under which <see cref="Routers.RouterKinds"/> finds the way back, for example <c>linear</c>.</param>
/// <param name="InputFeatures">Width of a token.</param>
/// <param name="ExpertCount">Number of experts k.</param>
/// <param name="Tensors">The router's tensors by name. The state does not own them: those of a live router belong to it.</param>
public sealed record RouterState(string Kind, int InputFeatures, int ExpertCount, IReadOnlyDictionary<string, Tensor> Tensors)
{
    /// <summary>A tensor that the kind cannot do without.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="shape">The shape it must have.</param>
    /// <returns>The tensor itself, not a copy.</returns>
    /// <exception cref="CheckpointException">The tensor is missing or has another shape.</exception>
    public Tensor Require(string name, params ReadOnlySpan<long> shape)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!Tensors.TryGetValue(name, out Tensor? tensor))
        {
            throw new CheckpointException(
                $"A router of kind '{Kind}' needs the tensor '{name}', but its state holds only [{string.Join(", ", Tensors.Keys)}].");
        }

        return tensor.shape.AsSpan().SequenceEqual(shape)
            ? tensor
            : throw new CheckpointException(
                $"The tensor '{name}' of a router of kind '{Kind}' with {InputFeatures} inputs and {ExpertCount} experts must have shape " +
                $"[{string.Join(", ", shape.ToArray())}], got [{string.Join(", ", tensor.shape)}].");
    }
}
