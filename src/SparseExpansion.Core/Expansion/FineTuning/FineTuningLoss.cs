using static TorchSharp.torch;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Losses of fine-tuning.</summary>
public static class FineTuningLoss
{
    /// <summary>‖Y − Ŷ‖² / ‖Y‖² over everything at once: the default.</summary>
    public static IFineTuningLoss RelativeSquaredError { get; } = new RelativeSquaredErrorLoss();

    /// <summary>
    /// KL(dense ‖ expanded) of the distributions that outputs describe as logits, along the last dimension: for
    /// <see cref="FineTuningOptions.OutputLoss"/> of language models and classifiers.
    /// </summary>
    public static IFineTuningLoss KullbackLeibler { get; } = new KullbackLeiblerLoss();

    /// <summary>A loss that is a function.</summary>
    /// <param name="name">
    /// Name, for reports and manifests; another function should have another name, by which
    /// <see cref="ExpansionBuilder{TModel}.ResumeFrom"/> notices it.
    /// </param>
    /// <param name="compute">See <see cref="IFineTuningLoss.Compute"/>.</param>
    public static IFineTuningLoss From(string name, Func<Tensor, Tensor, Tensor> compute)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(compute);
        return new FunctionLoss(name, compute);
    }

    /// <summary>Type that losses compute in: float64 where outputs are, else float32.</summary>
    internal static ScalarType WideTypeOf(Tensor outputs) =>
        outputs.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
}
