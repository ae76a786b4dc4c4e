using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Internal.Vectors;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Refit;
using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>
/// Prunes by solving the layer's least squares under a sparsity constraint: ADMM with a rising penalty finds which
/// weights stay, conjugate gradients find their best values. Slower than SparseGPT, and clearly closer to the dense
/// outputs. ALPS: Meng, Behdin, Wang and Mazumder 2024 (arXiv 2406.07831).
/// </summary>
/// <remarks>
/// Unstructured targets are counted out per layer by default. Sums in float32 whatever the weight's dtype; multiplies
/// in bfloat16 where <see cref="AlpsOptions.ReducedPrecision"/> allows. Hessians that cannot be factored climb a ladder
/// of dampings, see the <see cref="DampingRung"/> among <see cref="PruningResult.Diagnostics"/>;
/// <see cref="Convergence"/> there says how the search ended.
/// </remarks>
public sealed class AlpsSparsifier : Sparsifier<HessianStatistic>, ISizedSparsifier
{
    /// <summary>Memory that experts pruned together may take.</summary>
    private const long ChunkBytes = 2L << 30;

    /// <summary>Creates the pruner.</summary>
    /// <param name="options">Damping, penalties and limits; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public AlpsSparsifier(AlpsOptions? options = null)
    {
        Options = options ?? new AlpsOptions();
        Options.Validate();
    }

    /// <inheritdoc/>
    public override string Name => "alps";

    /// <summary>The options in force.</summary>
    public AlpsOptions Options { get; }

    /// <inheritdoc/>
    public override HessianStatistic CreateStatistic(LayerDescriptor layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return new HessianStatistic(layer.InFeatures, layer.Device);
    }

    /// <inheritdoc/>
    /// <exception cref="CalibrationException">No token was observed, or a non-finite one was.</exception>
    protected override PrunedWeight PruneCore(
        Tensor weight, HessianStatistic statistic, SparsityTarget target, CancellationToken cancellationToken) =>
        PruneExpertsCore(weight, [statistic], [target], cancellationToken)[0];

    /// <inheritdoc/>
    /// <remarks>
    /// Experts are iterated together whatever their targets, as many at a time as memory allows; each stops when its
    /// own support has settled.
    /// </remarks>
    protected override IReadOnlyList<PrunedWeight> PruneExpertsCore(
        Tensor weight, IReadOnlyList<HessianStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken)
    {
        PruningGuard.CheckHessians(Name, weight, statistics);
        Tensor dense = weight.to(ScalarType.Float32);
        var pruned = new List<PrunedWeight>(statistics.Count);
        int together = ExpertsAtOnce(weight.shape[0], weight.shape[1]);
        foreach ((HessianStatistic, SparsityTarget)[] chunk in statistics.Zip(targets).Chunk(together))
        {
            cancellationToken.ThrowIfCancellationRequested();
            pruned.AddRange(PruneChunk(
                dense, [.. chunk.Select(expert => expert.Item1)], [.. chunk.Select(expert => expert.Item2)],
                cancellationToken));
        }

        return pruned;
    }

    long ISizedSparsifier.BytesToPrune(long rows, long columns, int experts) =>
        BytesPerExpert(rows, columns) * Math.Min(experts, ExpertsAtOnce(rows, columns));

    double ISizedSparsifier.WorkToPrune(long rows, long columns) => 4 * SolverSize.Work(rows, columns);

    private static int ExpertsAtOnce(long rows, long columns) =>
        (int)Math.Clamp(ChunkBytes / BytesPerExpert(rows, columns), 1, 4096);

    /// <summary>
    /// Hessians, factors, the powers of a path, twice while its base moves, and their intermediates; the weight, the
    /// state and conjugate gradients.
    /// </summary>
    private static long BytesPerExpert(long rows, long columns) =>
        sizeof(float) * ((11 * columns * columns) + (10 * rows * columns));

    private PrunedWeight[] PruneChunk(
        Tensor dense, HessianStatistic[] statistics, SparsityTarget[] targets, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor hessians = stack(statistics.Select(statistic => statistic.Hessian), 0);
        Tensor diagonal = hessians.diagonal(0, 1, 2), norms = diagonal.clone();
        Tensor dead = diagonal.eq(Scalars.Of(0));
        diagonal.masked_fill_(dead, Scalars.Of(1));
        FactoredHessians factored = DampingLadder.Factor(
            hessians, Options.DampingSchedule, cancellationToken, Penalize);
        ReplaceHopeless(hessians, factored.Rungs);
        ScaledProblem problem = ScaledProblem.Create(hessians, dense, dead);
        (Tensor solved, Convergence[] convergence) = Solve(problem, factored.Factors, targets, cancellationToken);
        solved = DeadFeatures.Keep(
            solved, dense, dead, scores => MaskSelection.Select(scores, targets, SparsityScope.Layer));
        return [.. factored.Rungs.Select((rung, i) => rung.Method == DampingMethod.WandaFallback
            ? new PrunedWeight(WandaScore.Prune(dense, norms.select(0, i), targets[i]).MoveToOuterDisposeScope())
            {
                Diagnostics = [rung],
            }
            : new PrunedWeight(CheckFinite(OwnCopy(solved, i)).MoveToOuterDisposeScope())
            {
                Diagnostics = [rung, convergence[i]],
            })];
    }

    private void Penalize(Tensor damped)
    {
        using Tensor scales = ScaledProblem.ToUnitDiagonal(damped), diagonal = damped.diagonal(0, 1, 2);
        diagonal.PlusInPlace(Options.Penalty * PenaltyPath.Reach);
    }

    /// <summary>
    /// Damps every Hessian as its rung says; the identity in place of those given up, so that batched work on the
    /// others meets no NaN.
    /// </summary>
    private static void ReplaceHopeless(Tensor hessians, DampingRung[] rungs)
    {
        for (int i = 0; i < rungs.Length; i++)
        {
            using var scope = NewDisposeScope();
            Tensor hessian = hessians.narrow(0, i, 1);
            if (rungs[i].Method == DampingMethod.WandaFallback)
            {
                hessian.copy_(eye(hessian.shape[1], dtype: hessian.dtype, device: hessian.device));
            }
            else
            {
                DampingLadder.Damp(hessian, rungs[i].Damping);
            }
        }
    }

    private (Tensor Weights, Convergence[] Convergence) Solve(
        ScaledProblem problem, Tensor factors, SparsityTarget[] targets, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        ScalarType precision = Options.ReducedPrecision && FastProducts.Bfloat16(factors.device)
            ? ScalarType.BFloat16
            : ScalarType.Float32;
        using var path = new PenaltyPath(problem.Hessians, factors, Options.Penalty * PenaltyPath.Reach, precision);
        AlpsSupports found = AlpsSolver.Solve(problem, path, targets, Options, cancellationToken);
        Tensor weights = found.Weights.masked_fill_(found.Pruned, Scalars.Of(0));
        (int[] iterations, double[] residuals) = ConjugateGradients.Solve(
            problem.Hessians, problem.Weights, weights, found.Pruned, precision, Options.RefitTolerance,
            Options.MaxRefitIterations, cancellationToken);
        Convergence[] convergence =
            [.. residuals.Select((residual, i) =>
                new Convergence(found.Iterations[i], found.Settled[i], iterations[i], residual))];
        return (weights.div_(problem.Scales).MoveToOuterDisposeScope(), convergence);
    }

    /// <summary>An expert's weight that keeps no other expert's memory alive.</summary>
    private static Tensor OwnCopy(Tensor solved, int expert) =>
        solved.shape[0] == 1 ? solved.squeeze(0) : solved.select(0, expert).clone();

    private static Tensor CheckFinite(Tensor weight) => TensorChecks.AllFinite(weight)
        ? weight
        : throw new PruningException(
            "ALPS's updates overflowed float32: the Hessian is too ill-conditioned for the damping; "
            + "raise AlpsOptions.Damping.");

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{Name}: {Options}";
}
