using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>All that a checkpoint keeps of a router.</summary>
/// <param name="kind">Name under which <see cref="Routers.RouterKinds"/> finds
/// the way back, for example <c>linear</c>.</param>
/// <param name="inputFeatures">Width of a token.</param>
/// <param name="expertCount">Number of experts k.</param>
/// <param name="tensors">The router's tensors by name. The state does not own
/// them: those of a live router belong to it.</param>
public sealed class RouterState(
    string kind, int inputFeatures, int expertCount, IReadOnlyDictionary<string, Tensor> tensors)
{
    /// <summary>Name under which <see cref="Routers.RouterKinds"/> finds the way back.</summary>
    public string Kind { get; } = kind;

    /// <summary>Width of a token.</summary>
    public int InputFeatures { get; } = inputFeatures;

    /// <summary>Number of experts k.</summary>
    public int ExpertCount { get; } = expertCount;

    /// <summary>The router's tensors by name, which the state does not own.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; } = tensors;

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
                $"A router of kind '{Kind}' needs the tensor '{name}', "
                + $"but its state holds only [{string.Join(", ", Tensors.Keys)}].");
        }

        return tensor.shape.AsSpan().SequenceEqual(shape)
            ? tensor
            : throw new CheckpointException(
                $"The tensor '{name}' of a router of kind '{Kind}' with {InputFeatures} inputs and "
                + $"{ExpertCount} experts must have shape "
                + $"[{string.Join(", ", shape.ToArray())}], got [{string.Join(", ", tensor.shape)}].");
    }
}
