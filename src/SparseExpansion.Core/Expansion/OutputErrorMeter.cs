using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Output errors of experts, measured on the tokens that are routed to them.</summary>
internal static class OutputErrorMeter
{
    /// <summary>‖X(W − P)ᵀ‖² and ‖XWᵀ‖² for each expert.</summary>
    public static ExpertOutputErrors Measure(
        Tensor dense, IReadOnlyList<PruningResult> pruned, ExpertTokens tokens, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor weight = dense.detach().to(ScalarType.Float32);
        var lost = new double[pruned.Count];
        var energy = new double[pruned.Count];
        tokens.Visit((expert, share) =>
        {
            using var inner = NewDisposeScope();
            Tensor difference = weight - pruned[expert].Weight.to(ScalarType.Float32);
            lost[expert] += SquaredNorm(share.matmul(difference.t()));
            energy[expert] += SquaredNorm(share.matmul(weight.t()));
        }, cancellationToken);
        return new ExpertOutputErrors(lost, energy);
    }

    /// <summary>‖X₀Wᵀ − XPᵀ‖² and ‖X₀Wᵀ‖² for each expert, X₀ being what the dense model hands the layer in place of X.</summary>
    /// <param name="dense">W, [out_features, in_features].</param>
    /// <param name="pruned">P of each expert.</param>
    /// <param name="pairs">Tokens [n, 2 · in_features], those of X and then those of X₀, by expert.</param>
    /// <param name="cancellationToken">Observed between chunks.</param>
    public static ExpertOutputErrors MeasureShifted(
        Tensor dense, IReadOnlyList<PruningResult> pruned, ExpertTokens pairs, CancellationToken cancellationToken)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor weight = dense.detach().to(ScalarType.Float32);
        long features = weight.shape[1];
        var lost = new double[pruned.Count];
        var energy = new double[pruned.Count];
        pairs.Visit((expert, share) =>
        {
            using var inner = NewDisposeScope();
            Tensor outputs = share.narrow(1, features, features).matmul(weight.t());
            Tensor made = share.narrow(1, 0, features).matmul(pruned[expert].Weight.to(ScalarType.Float32).t());
            lost[expert] += SquaredNorm(outputs - made);
            energy[expert] += SquaredNorm(outputs);
        }, cancellationToken);
        return new ExpertOutputErrors(lost, energy);
    }

    /// <summary>By columns first: a sum of everything at once would split, and round, by the number of threads.</summary>
    private static double SquaredNorm(Tensor outputs) => outputs.square().sum([0L], type: ScalarType.Float64).sum().item<double>();
}
