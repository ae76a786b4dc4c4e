
namespace SparseExpansion.Expansion.Compensation;

/// <summary>Options of experts that make up for what was lost before them.</summary>
/// <remarks>
/// An expanded model hands its layers other inputs than the dense one. Instead of the dense weight W, each expert is
/// pruned from the weight that brings its own inputs X nearest to the outputs of the dense model, X₀Wᵀ: W + W S (H +
/// λI)⁻¹ with S = (X₀ − X)ᵀX and H = XᵀX over the expert's tokens and λ = <see cref="Damping"/> · tr(H) / in_features.
/// The idea is that of asymmetric calibration, GPTAQ (arXiv 2504.02692). Refinement of routers, the choice of a
/// shrinkage and division among experts try things out with W itself. S and H are the expert's own sums, whatever
/// the shrinkage of small experts says. As each expert has a weight of its own, experts are pruned one by one, through
/// <see cref="SparseExpansion.Pruning.ISparsifier.Prune"/>.
/// </remarks>
public sealed record ErrorCompensationOptions
{
    /// <summary>
    /// Strength with which weights hold on to the dense ones, as a share of the mean energy of an input feature.
    /// Positive; default 0.3. Small values follow the calibration tokens closely, large ones compensate little.
    /// </summary>
    public double Damping { get; init; } = 0.3;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the property.</exception>
    public void Validate()
    {
        if (!(double.IsFinite(Damping) && Damping > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(Damping), Damping, "Must be a positive number.");
        }
    }
}
