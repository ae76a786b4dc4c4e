using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Refit;

namespace SparseExpansion;

/// <summary>Adds the exact refit to pruners.</summary>
public static class RefitExtensions
{
    /// <summary>
    /// The same pruner, followed by the exact least squares on the support that it chose: for every row, the weights
    /// that bring the layer's outputs closest to the dense ones. The mask stays, and the output error never rises.
    /// </summary>
    /// <param name="pruner">Any pruner that does not round its weights; its statistic is
    /// gathered beside a Hessian unless it is one.</param>
    /// <param name="options">Damping and memory; null for the defaults.</param>
    /// <exception cref="ArgumentException">The pruner rounds its weights, which a refit would undo.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ISparsifier WithRefit(this ISparsifier pruner, RefitOptions? options = null) =>
        pruner is IRoundingSparsifier { RoundsWeights: true }
            ? throw new ArgumentException(Rounds(pruner), nameof(pruner))
            : new RefitSparsifier(pruner, options);

    /// <summary>Why a pruner that rounds is refused.</summary>
    internal static string Rounds(ISparsifier pruner) =>
        $"Pruner '{pruner.Name}' rounds its weights, which a refit would undo: "
        + $"call {nameof(QuantizationExtensions.WithQuantization)} after {nameof(WithRefit)}.";
}
