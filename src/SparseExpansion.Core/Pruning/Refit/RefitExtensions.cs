namespace SparseExpansion.Pruning;

/// <summary>Adds the exact refit to pruners.</summary>
public static class RefitExtensions
{
    /// <summary>
    /// The same pruner, followed by the exact least squares on the support that it chose: for every row, the weights that
    /// bring the layer's outputs closest to the dense ones. The mask stays, and the output error never rises.
    /// </summary>
    /// <param name="pruner">Any pruner; its statistic is gathered beside a Hessian unless it is one.</param>
    /// <param name="options">Damping and memory; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ISparsifier WithRefit(this ISparsifier pruner, RefitOptions? options = null) => new RefitSparsifier(pruner, options);
}
