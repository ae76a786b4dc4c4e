using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Quantization;
using SparseExpansion.Quantization;

namespace SparseExpansion;

/// <summary>Adds the rounding of kept weights to pruners.</summary>
public static class QuantizationExtensions
{
    /// <summary>
    /// The same pruner, followed by the rounding of the weights that it kept. After pruners that gather a Hessian
    /// (SparseGPT, ALPS, <see cref="RefitExtensions.WithRefit"/>), column by column, later weights making
    /// up for what rounding loses; after the others, to the nearest values. The mask stays, but kept weights may become
    /// 0. <see cref="Pruning.SparseGpt.SparseGptOptions.Quantization"/> gives SparseGPT the same for less work.
    /// </summary>
    /// <param name="pruner">Any pruner that does not round by itself.</param>
    /// <param name="quantization">Bits and groups; null for the defaults.</param>
    /// <exception cref="ArgumentException">The pruner rounds its weights already.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ISparsifier WithQuantization(
        this ISparsifier pruner, WeightQuantization? quantization = null) =>
        pruner is IRoundingSparsifier { RoundsWeights: true }
            ? throw new ArgumentException(Rounds(pruner), nameof(pruner))
            : new QuantizedSparsifier(pruner, quantization ?? new WeightQuantization());

    /// <summary>Why a pruner that rounds is refused.</summary>
    internal static string Rounds(ISparsifier pruner) =>
        $"Pruner '{pruner.Name}' rounds its weights already; remove {nameof(WithQuantization)}.";
}
