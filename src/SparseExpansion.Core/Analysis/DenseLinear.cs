using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Internal.Torch;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis;

/// <summary>
/// The dense linear layer whose neurons are analyzed. A neuron is a row of the weight and its output w·x + b.
/// </summary>
/// <remarks>Holds views of the tensors given and does not dispose them.</remarks>
public sealed class DenseLinear
{
    /// <summary>Describes a layer by its tensors.</summary>
    /// <param name="name">Module path, for messages and reports.</param>
    /// <param name="weight">[out_features, in_features], floating dtype; the
    /// work is done on its device, in float32.</param>
    /// <param name="bias">[out_features], or null.</param>
    /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
    /// <exception cref="SparseExpansionException">The weight holds NaN or infinite values.</exception>
    public DenseLinear(string name, Tensor weight, Tensor? bias = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2 || !weight.is_floating_point() || weight.numel() == 0)
        {
            throw new ArgumentException(
                $"Layer '{name}': the weight must be floating-point [out_features, in_features], "
                + $"got {TensorText.Of(weight)}.", nameof(weight));
        }

        if (bias is not null && (bias.dim() != 1 || bias.shape[0] != weight.shape[0]))
        {
            throw new ArgumentException(
                $"Layer '{name}': the bias must be [{weight.shape[0]}], got {TensorText.Of(bias)}.", nameof(bias));
        }

        if (!TensorChecks.AllFinite(weight) || (bias is not null && !TensorChecks.AllFinite(bias)))
        {
            throw new SparseExpansionException($"Layer '{name}': weight or bias holds NaN or infinite values.");
        }

        (Name, Weight, Bias) = (name, weight, bias);
    }

    /// <summary>Module path of the layer.</summary>
    public string Name { get; }

    /// <summary>[out_features, in_features].</summary>
    public Tensor Weight { get; }

    /// <summary>[out_features], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>Number of neurons.</summary>
    public int OutFeatures => checked((int)Weight.shape[0]);

    /// <summary>Width of a token.</summary>
    public int InFeatures => checked((int)Weight.shape[1]);

    /// <summary>Describes a TorchSharp layer.</summary>
    /// <param name="name">Module path.</param>
    /// <param name="linear">The layer; it must outlive this object.</param>
    public static DenseLinear From(string name, Linear linear)
    {
        ArgumentNullException.ThrowIfNull(linear);
        return new DenseLinear(name, linear.weight!, linear.bias);
    }

    /// <summary>The layer as pruners know it.</summary>
    internal LayerDescriptor Describe() => new(Name, InFeatures, OutFeatures, Weight.device);

    /// <exception cref="CalibrationException">The tokens are of another width.</exception>
    internal void CheckTokens(ITokenSource tokens)
    {
        if (tokens.Features != InFeatures)
        {
            throw new CalibrationException(
                $"Layer '{Name}' takes tokens of width {InFeatures}, the token source has width {tokens.Features}.")
            { Layer = Name };
        }
    }
}
