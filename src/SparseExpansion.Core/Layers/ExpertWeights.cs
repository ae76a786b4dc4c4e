using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>
/// The storage and multiplication of the weights of a layer's experts: the seam behind
/// <see cref="SparseMixtureLayer"/>.
/// </summary>
internal abstract class ExpertWeights(string name) : nn.Module(name)
{
    public abstract int Count { get; }

    public abstract long InFeatures { get; }

    public abstract long OutFeatures { get; }

    public abstract Device Device { get; }

    public abstract ScalarType DType { get; }

    /// <summary>True if tokens of this dtype can be multiplied.</summary>
    public virtual bool Accepts(ScalarType tokens) => tokens == DType;

    /// <summary>
    /// Name of the layout of <see cref="Tensors"/>, by which <see cref="ExpertStorage"/> restores it.
    /// </summary>
    public abstract string StorageKind { get; }

    /// <summary>
    /// The tensors that a checkpoint keeps, by name: live ones, and small new ones for the current dispose scope.
    /// </summary>
    public abstract IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>Bytes that the experts occupy in memory.</summary>
    public abstract long StorageBytes { get; }

    /// <summary>Checks weights that may have been written to from outside; costs nothing when there are none.</summary>
    /// <exception cref="CheckpointException">They are damaged.</exception>
    public virtual void Verify(string layer)
    {
    }

    /// <summary>Multiplies every token by its expert's weight.</summary>
    /// <param name="tokens">[tokens, in_features].</param>
    /// <param name="decision">The experts of the tokens.</param>
    /// <param name="bias">[out_features], or null.</param>
    /// <returns>[tokens, out_features], in the order of <paramref name="tokens"/>.</returns>
    public abstract Tensor Multiply(Tensor tokens, RoutingDecision decision, Tensor? bias);

    /// <summary>
    /// Gives up these experts for the same in another dtype or on another
    /// device, packed where that is possible and they are.
    /// </summary>
    public abstract ExpertWeights ConvertTo(ScalarType dtype, Device device);

    /// <summary>The weight of one expert with its zeros, [out_features, in_features]; the caller disposes it.</summary>
    public abstract Tensor ToDense(int expert);

    /// <summary>The grid that one expert was rounded to, which belongs to the experts; null without.</summary>
    public virtual QuantizationGrid? GridOf(int expert) => null;

    /// <summary>Weights of one expert that are not zero.</summary>
    public abstract long CountNonzero(int expert);
}
