using SparseExpansion.Pruning;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Refinement;

/// <summary>The error that each token's outputs would have at each expert.</summary>
internal static class TokenCosts
{
    /// <summary>
    /// ‖F_e x‖² for every token x and expert e, where F_e holds the rows of all linears' W − P_e, each divided by the
    /// square root of its linear's output energy: the relative errors of the linears add up.
    /// </summary>
    /// <param name="weights">The group's linears, [rows, d] each.</param>
    /// <param name="experts">The experts of each linear.</param>
    /// <param name="energies">‖XWᵀ‖² of each linear, above 0.</param>
    /// <param name="tokens">[n, d], float32.</param>
    /// <param name="chunkTokens">Tokens worked on at a time.</param>
    /// <returns>[n, k], float32; the caller disposes it.</returns>
    public static Tensor Compute(
        IReadOnlyList<Tensor> weights, IReadOnlyList<IReadOnlyList<PruningResult>> experts,
        IReadOnlyList<double> energies, Tensor tokens, int chunkTokens)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        int count = experts[0].Count;
        Tensor costs = empty(tokens.shape[0], count, ScalarType.Float32, tokens.device);
        for (int e = 0; e < count; e++)
        {
            using var expertScope = NewDisposeScope();
            Tensor losses = cat([.. weights.Select((weight, l) =>
                (weight.to(ScalarType.Float32) - experts[l][e].Weight.to(ScalarType.Float32))
                    / Scalars.Of(Math.Sqrt(energies[l])))]);
            FillColumn(costs.select(1, e), losses, tokens, chunkTokens);
        }

        return costs.MoveToOuterDisposeScope();
    }

    /// <summary>‖Fx‖² = xᵀ(FᵀF)x: the square matrix is the cheaper one where F has more rows than columns.</summary>
    private static void FillColumn(Tensor column, Tensor losses, Tensor tokens, int chunkTokens)
    {
        bool tall = losses.shape[0] > losses.shape[1];
        Tensor factor = tall ? losses.t().matmul(losses) : losses.t();
        for (long start = 0; start < tokens.shape[0]; start += chunkTokens)
        {
            using var scope = NewDisposeScope();
            Tensor chunk = tokens.narrow(0, start, Math.Min(chunkTokens, tokens.shape[0] - start));
            Tensor product = chunk.matmul(factor);
            Tensor squares = tall ? product.mul_(chunk) : product.Squared();
            column.narrow(0, start, chunk.shape[0]).copy_(squares.sum([1L]).clamp_min_(Scalars.Of(0)));
        }
    }
}
