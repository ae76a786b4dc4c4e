namespace SparseExpansion.Expansion.MeanCorrection;

/// <summary>Options of the biases that absorb the mean output error of each expert.</summary>
/// <remarks>
/// The tokens of a cluster lie around their mean μ_e, so that pruning moves the mean of an expert's outputs: by (W −
/// W_e) μ_e. A bias of its own takes that back, b_e = b + (W − W_e) μ_e, and the weights that stay need only serve the
/// deviations: the expert is pruned by the statistic of its tokens less μ_e. A token costs one addition for each
/// output.
/// </remarks>
public sealed record MeanCorrectionOptions
{
    /// <summary>
    /// Fewest calibration tokens of an expert that is given a bias of its own; the mean of fewer says little of the
    /// tokens to come. Others keep the bias of the layer. At least 1; default 32.
    /// </summary>
    public long MinimumTokens { get; init; } = 32;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate() => ArgumentOutOfRangeException.ThrowIfLessThan(MinimumTokens, 1, nameof(MinimumTokens));
}
