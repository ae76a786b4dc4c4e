using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Statistics;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// Prunes by the smallest increase of the layer's output error and lets the remaining weights make up for it, with the
/// inverse Hessian of the inputs. Frantar &amp; Alistarh 2023 (arXiv 2301.00774).
/// </summary>
/// <remarks>
/// Unstructured targets are counted out per block of columns by default, on weights that earlier blocks have updated;
/// the scopes layer and row choose on the dense weights instead. Computes in float32 whatever the weight's dtype.
/// Hessians that cannot be factored climb a ladder of dampings, see the <see cref="DampingRung"/> among
/// <see cref="PruningResult.Diagnostics"/>.
/// </remarks>
public sealed class SparseGptSparsifier : Sparsifier<HessianStatistic>, IRoundingSparsifier, ISizedSparsifier
{
    /// <summary>Creates the pruner.</summary>
    /// <param name="options">Damping and block size; null for the paper's.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public SparseGptSparsifier(SparseGptOptions? options = null)
    {
        Options = options ?? new SparseGptOptions();
        Options.Validate();
    }

    /// <inheritdoc/>
    public override string Name => "sparsegpt";

    /// <summary>The options in force.</summary>
    public SparseGptOptions Options { get; }

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
        PruneTogether(weight, [statistic], target, cancellationToken)[0];

    /// <inheritdoc/>
    /// <remarks>
    /// Experts of equal target share one batched factorization and one parallel loop, as many at a time as memory
    /// allows.
    /// </remarks>
    protected override IReadOnlyList<PrunedWeight> PruneExpertsCore(
        Tensor weight, IReadOnlyList<HessianStatistic> statistics, IReadOnlyList<SparsityTarget> targets,
        CancellationToken cancellationToken) =>
        TargetGroups.Run(
            statistics, targets, (together, target) => PruneTogether(weight, together, target, cancellationToken));

    private List<PrunedWeight> PruneTogether(
        Tensor weight, HessianStatistic[] statistics, SparsityTarget target, CancellationToken cancellationToken)
    {
        Check(weight, statistics, target);
        Tensor dense = weight.to(ScalarType.Float32);
        var pruned = new List<PrunedWeight>(statistics.Length);
        foreach (HessianStatistic[] chunk in statistics.Chunk(SolverSize.ExpertsAtOnce(weight.shape[0], weight.shape[1])))
        {
            cancellationToken.ThrowIfCancellationRequested();
            PruneChunk(dense, chunk, target, pruned, cancellationToken);
        }

        return pruned;
    }

    private void Check(Tensor weight, IReadOnlyList<HessianStatistic> statistics, SparsityTarget target)
    {
        if (target is NMTarget nm && Options.BlockSize % nm.GroupSize != 0)
        {
            throw new PruningException(
                $"{nm} sparsity needs a {nameof(SparseGptOptions)}.{nameof(SparseGptOptions.BlockSize)} divisible by "
                + $"{nm.GroupSize}; it is {Options.BlockSize}.");
        }

        PruningGuard.CheckHessians(Name, weight, statistics);
    }

    bool IRoundingSparsifier.RoundsWeights => Options.Quantization is not null;

    long ISizedSparsifier.BytesToPrune(long rows, long columns, int experts) =>
        SolverSize.Bytes(rows, columns, experts);

    double ISizedSparsifier.WorkToPrune(long rows, long columns) => SolverSize.Work(rows, columns);

    private void PruneChunk(
        Tensor dense, HessianStatistic[] statistics, SparsityTarget target, List<PrunedWeight> pruned,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor hessians = stack(statistics.Select(statistic => statistic.Hessian), 0);
        Tensor diagonal = hessians.diagonal(0, 1, 2);
        Tensor dead = diagonal.eq(Scalars.Of(0));
        diagonal.masked_fill_(dead, Scalars.Of(1));
        FactoredHessians factored = DampingLadder.Factor(hessians, Options.DampingSchedule, cancellationToken);
        Func<ColumnBlock, Tensor> kernel = SparseGptSolver.KernelFor(dense);
        Tensor solved = SparseGptSolver.Solve(
            dense, dead, factored.Factors, target, Options.BlockSize, kernel, cancellationToken);
        solved = DeadFeatures.Keep(
            solved, dense, dead, scores => SparseGptSolver.Select(scores, target, Options.BlockSize));
        BlockGrid? grid = null;
        if (Options.Quantization is { } quantization)
        {
            (solved, grid) = SparseGptSolver.Quantize(
                solved, factored.Factors, quantization, Options.BlockSize, kernel, cancellationToken);
        }

        for (int i = 0; i < statistics.Length; i++)
        {
            DampingRung rung = factored.Rungs[i];
            pruned.Add(rung.Method == DampingMethod.WandaFallback
                ? Fallback(
                    WandaScore.Prune(
                        dense, diagonal.select(0, i).masked_fill(dead.select(0, i), Scalars.Of(0)), target), rung)
                : new PrunedWeight(CheckFinite(OwnCopy(solved, i)).MoveToOuterDisposeScope())
                {
                    Diagnostics = [rung],
                    Grid = grid?.Of(i, (int)dense.shape[1]),
                });
        }
    }

    private PrunedWeight Fallback(Tensor weight, DampingRung rung)
    {
        if (Options.Quantization is null)
        {
            return new PrunedWeight(weight.MoveToOuterDisposeScope()) { Diagnostics = [rung] };
        }

        QuantizationGrid grid = QuantizationGrid.Fit(weight, Options.Quantization);
        return new PrunedWeight(grid.Round(weight).MoveToOuterDisposeScope()) { Diagnostics = [rung], Grid = grid };
    }

    /// <summary>An expert's weight that keeps no other expert's memory alive.</summary>
    private static Tensor OwnCopy(Tensor solved, int expert) =>
        solved.shape[0] == 1 ? solved.squeeze(0) : solved.select(0, expert).clone();

    private static Tensor CheckFinite(Tensor weight) => TensorChecks.AllFinite(weight)
        ? weight
        : throw new PruningException(
            "SparseGPT's updates overflowed float32: the Hessian is too ill-conditioned for the damping; "
            + "raise SparseGptOptions.Damping.");

    /// <summary>Name and options, for manifests.</summary>
    public override string ToString() => $"{Name}: {Options}";
}
