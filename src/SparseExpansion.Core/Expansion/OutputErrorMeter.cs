using SparseExpansion.Pruning;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>Relative output errors of experts, measured on their tokens where the pruner's statistic cannot tell them.</summary>
internal static class OutputErrorMeter
{
    /// <summary>‖X(W − P)ᵀ‖² / ‖XWᵀ‖² for each expert; 0 for one without tokens.</summary>
    public static double[] Measure(
        Tensor dense, IReadOnlyList<PruningResult> pruned, ExpertTokens tokens, CancellationToken cancellationToken)
    {
        if (pruned.All(result => result.RelativeOutputError is not null))
        {
            return [.. pruned.Select(result => result.RelativeOutputError!.Value)];
        }

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
        return [.. lost.Zip(energy, (l, e) => e > 0 ? l / e : 0)];
    }

    private static double SquaredNorm(Tensor outputs) => outputs.square().sum(ScalarType.Float64).item<double>();
}
