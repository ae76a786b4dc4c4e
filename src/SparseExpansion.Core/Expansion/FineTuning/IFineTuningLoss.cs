using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>
/// Loss that fine-tuning minimizes. <see cref="object.ToString"/> is its name in reports and manifests; it should hold
/// the options, by which <see cref="ExpansionBuilder{TModel}.ResumeFrom"/> notices a change.
/// </summary>
public interface IFineTuningLoss
{
    /// <summary>
    /// Distance of the expanded block from the dense one, or the model with it as
    /// <see cref="FineTuningOptions.OutputLoss"/>.
    /// </summary>
    /// <param name="outputs">
    /// Outputs of the expanded block (or model), with gradient: [windows, .., features], or [tokens, features] where
    /// padding was taken out.
    /// </param>
    /// <param name="denseOutputs">
    /// Outputs of the dense block (or model) for the same inputs, same shape, without gradient.
    /// </param>
    /// <remarks>Both may be written to, as autograd allows it.</remarks>
    /// <returns>
    /// A scalar that can be differentiated with respect to <paramref name="outputs"/>. Smaller is better.
    /// </returns>
    Tensor Compute(Tensor outputs, Tensor denseOutputs);
}
