using static TorchSharp.torch;

namespace SparseExpansion.Routing;

/// <summary>
/// Base of routers that hold tensors: moves with its layer and appears in its <c>state_dict</c>, but keeps its dtype
/// when the model is converted, because a router rounded to 16 bits sends
/// tokens to experts that were not made for them.
/// </summary>
public abstract class RouterModule : nn.Module<Tensor, Tensor>, ICheckpointRouter
{
    /// <summary>Creates the module; the constructor of the derived class registers its buffers.</summary>
    /// <param name="name">Name of the module.</param>
    protected RouterModule(string name) : base(name)
    {
    }

    /// <inheritdoc/>
    public abstract int ExpertCount { get; }

    /// <inheritdoc/>
    public abstract int InputFeatures { get; }

    /// <inheritdoc/>
    public abstract RouterState GetState();

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The tokens are not a floating matrix of width
    /// <see cref="InputFeatures"/>.</exception>
    public Tensor Route(Tensor tokens)
    {
        RouterGuard.CheckTokens(tokens, InputFeatures);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return Assign(tokens).MoveToOuterDisposeScope();
    }

    /// <summary>Same as <see cref="Route"/>.</summary>
    /// <param name="input">[tokens, in_features], floating dtype.</param>
    /// <returns>int64 [tokens].</returns>
    public sealed override Tensor forward(Tensor input) => Route(input);

    /// <summary>Assigns checked tokens; temporaries are disposed by the caller, autograd is off.</summary>
    /// <param name="tokens">[tokens, in_features], floating dtype.</param>
    /// <returns>int64 [tokens] with values in [0, k).</returns>
    protected abstract Tensor Assign(Tensor tokens);

    /// <summary>Gives a tensor to the module as a buffer that outlives dispose scopes.</summary>
    /// <param name="source">The values; stays with the caller.</param>
    /// <param name="dtype">Dtype of the buffer.</param>
    /// <returns>A contiguous copy, free of autograd.</returns>
    protected static Tensor CopyForBuffer(Tensor source, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var scope = NewDisposeScope();
        return source.detach().to(dtype).contiguous().clone().DetachFromDisposeScope();
    }

    /// <summary>Keeps the dtype.</summary>
    protected sealed override nn.Module _to(ScalarType dtype, bool non_blocking) => this;

    /// <summary>Moves, and keeps the dtype.</summary>
    protected sealed override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) =>
        _to(device.type, device.index, non_blocking);
}
