using SparseExpansion.Internal.Errors;
using SparseExpansion.Pruning;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Compensation;

/// <summary>
/// Differences between the inputs of experts in the dense and in the expanded model, and the weights that make up for
/// it.
/// </summary>
internal sealed class InputShift : IDisposable
{
    private readonly Tensor[] _moves;

    private InputShift(Tensor[] moves) => _moves = moves;

    /// <summary>Sums up the tokens of some experts.</summary>
    /// <param name="pairs">
    /// Tokens [n, 2 · features] by expert: what the expanded model hands the layer, then what the dense one does.
    /// </param>
    /// <param name="features">Width of a token.</param>
    /// <param name="damping">λ as a share of the mean energy of a feature.</param>
    /// <param name="device">Device of the sums.</param>
    /// <param name="first">First expert.</param>
    /// <param name="count">Number of experts.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    public static InputShift Gather(
        ExpertTokens pairs, int features, double damping, Device device, int first, int count,
        CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] energies = Zeros(), shifts = Zeros();
        pairs.Visit((expert, share) =>
        {
            using var inner = NewDisposeScope();
            Tensor seen = share.narrow(1, 0, features), dense = share.narrow(1, features, features);
            energies[expert - first].addmm_(seen.t(), seen);
            shifts[expert - first].addmm_((dense - seen).t(), seen);
        }, cancellationToken, first, count);
        IReadOnlyList<Tensor> moves = ExpertSeries.Run(count, expert =>
        {
            using Tensor energy = energies[expert], shift = shifts[expert];
            return Move(energy, shift, damping);
        });
        return new InputShift([.. moves.Select(move => move.MoveToOuterDisposeScope().DetachFromDisposeScope())]);

        Tensor[] Zeros() =>
            [.. Enumerable.Range(0, count).Select(_ => zeros(features, features, ScalarType.Float32, device))];
    }

    /// <summary>M = S (H + λI)⁻¹, the ridge regression of X₀ − X on X: X (I + M)ᵀ is what is nearest to X₀.</summary>
    /// <param name="energy">H = XᵀX, [d, d]; λI is added in place.</param>
    /// <param name="shift">S = (X₀ − X)ᵀX, [d, d].</param>
    /// <param name="damping">λ · d / tr(H), positive.</param>
    /// <returns>[d, d]; zeros where no input had energy.</returns>
    /// <exception cref="SparseExpansionException">H + λI is not positive definite in float32.</exception>
    public static Tensor Move(Tensor energy, Tensor shift, double damping)
    {
        using var scope = NewDisposeScope();
        double penalty = damping * energy.diagonal().mean().item<float>();
        if (penalty == 0)
        {
            return zeros_like(shift).MoveToOuterDisposeScope();
        }

        energy.diagonal().PlusInPlace(penalty);
        (Tensor factor, Tensor info) = linalg.cholesky_ex(energy);
        return info.item<int>() == 0
            ? cholesky_solve(shift.t(), factor).t().MoveToOuterDisposeScope()
            : throw new SparseExpansionException(
                "The inputs are too ill-conditioned to compensate for; raise ErrorCompensationOptions.Damping.");
    }

    /// <summary>The weight to prune for an expert; the caller disposes it.</summary>
    /// <param name="weight">W, [out_features, in_features].</param>
    /// <param name="expert">Position among the experts that were gathered.</param>
    /// <returns>W + W M, in dtype and on device of <paramref name="weight"/>.</returns>
    public Tensor Compensate(Tensor weight, int expert)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor dense = weight.detach().to(ScalarType.Float32);
        return dense.addmm(dense, _moves[expert]).to(weight.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_moves, move => move.Dispose());
}
