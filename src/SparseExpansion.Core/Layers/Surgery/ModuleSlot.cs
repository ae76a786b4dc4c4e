using static TorchSharp.torch;

namespace SparseExpansion.Layers.Surgery;

/// <summary>
/// The place of a linear in its model, where a mixture can be put in its stead and the linear back again.
/// </summary>
internal abstract class ModuleSlot(string name, nn.Module<Tensor, Tensor> dense)
{
    /// <summary>Module path, for example <c>model.layers.0.mlp.up_proj</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The dense layer that belongs here.</summary>
    public nn.Module<Tensor, Tensor> Dense { get; } = dense;

    /// <summary>
    /// The module that runs in this place now: the dense layer, which hooks may make a mixture of, or a mixture.
    /// </summary>
    public virtual nn.Module<Tensor, Tensor> Current => Dense;

    /// <summary>Puts the mixture into the place.</summary>
    public abstract void Install(SparseMixtureLayer mixture);

    /// <summary>Puts the dense layer back; does nothing when it is there.</summary>
    public abstract void Restore();

    /// <summary>Frees the dense layer for good, after <see cref="Install"/>.</summary>
    public virtual void ReleaseDense() => Dense.Dispose();
}
