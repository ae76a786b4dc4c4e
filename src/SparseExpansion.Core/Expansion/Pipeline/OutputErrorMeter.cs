using SparseExpansion.Pruning;
using SparseExpansion.Routing.Experts;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Pipeline;

/// <summary>Output errors of experts, measured on the tokens that are routed to them.</summary>
internal static class OutputErrorMeter
{
    /// <summary>‖X(W − P)ᵀ‖² and ‖XWᵀ‖² for each expert.</summary>
    public static ExpertOutputErrors Measure(
        Tensor dense, IReadOnlyList<PruningResult> pruned, ExpertTokens tokens, CancellationToken cancellationToken) =>
        Sum(dense, pruned, tokens, static (share, weight, kept) => (share.matmul((weight - kept).t()), share.matmul(weight.t())), cancellationToken);

    /// <summary>
    /// ‖X₀Wᵀ − XPᵀ‖² and ‖X₀Wᵀ‖² for each expert, X₀ being what the dense model hands the layer in place of X.
    /// </summary>
    /// <param name="dense">W, [out_features, in_features].</param>
    /// <param name="pruned">P of each expert.</param>
    /// <param name="pairs">Tokens [n, 2 · in_features], those of X and then those of X₀, by expert.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    public static ExpertOutputErrors MeasureShifted(
        Tensor dense, IReadOnlyList<PruningResult> pruned, ExpertTokens pairs, CancellationToken cancellationToken)
    {
        long features = dense.shape[1];
        return Sum(dense, pruned, pairs, (share, weight, kept) =>
        {
            Tensor outputs = share.narrow(1, features, features).matmul(weight.t());
            return (outputs - share.narrow(1, 0, features).matmul(kept.t()), outputs);
        }, cancellationToken);
    }

    /// <summary>Sums up squares over the tokens of each expert.</summary>
    /// <param name="compare">From tokens, W and P in float32: what is lost of the outputs, and the outputs.</param>
    private static ExpertOutputErrors Sum(
        Tensor dense, IReadOnlyList<PruningResult> pruned, ExpertTokens tokens,
        Func<Tensor, Tensor, Tensor, (Tensor Lost, Tensor Outputs)> compare, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor weight = dense.detach().to(ScalarType.Float32);
        var lost = new double[pruned.Count];
        var energy = new double[pruned.Count];
        tokens.Visit((expert, share) =>
        {
            using var inner = NewDisposeScope();
            (Tensor difference, Tensor outputs) = compare(share, weight, pruned[expert].Weight.to(ScalarType.Float32));
            lost[expert] += SquaredNorm(difference);
            energy[expert] += SquaredNorm(outputs);
        }, cancellationToken);
        return new ExpertOutputErrors(lost, energy);
    }

    /// <summary>
    /// By columns first: a sum of everything at once would split, and round, by the number of threads.
    /// </summary>
    private static double SquaredNorm(Tensor outputs) =>
        outputs.Squared().sum([0L], type: ScalarType.Float64).sum().item<double>();
}
