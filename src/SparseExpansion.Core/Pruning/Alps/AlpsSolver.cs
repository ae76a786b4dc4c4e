using SparseExpansion.Pruning.Selection;
using SparseExpansion.Pruning.Targets;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Alps;

/// <summary>
/// The search for supports by ADMM, for a batch of experts: min tr((Ŵ − W)H(Ŵ − W)ᵀ) with W = D and D sparse enough.
/// Meng et al. 2024 (arXiv 2406.07831), Algorithm 1.
/// </summary>
/// <remarks>
/// With the dual V = ρU, one iteration is W = (HŴ + ρ(D − U))(H + ρI)⁻¹, S = W + U, D = the largest of S, U = S − D. So
/// D and U are the two parts of S, and S with its mask is all the state there is; the product is taken of W − Ŵ = (D −
/// U − Ŵ) ρ(H + ρI)⁻¹, which loses no digits to Ŵ. Where the paper has an eigendecomposition, <see cref="PenaltyPath"/>
/// goes from one penalty to the next.
/// </remarks>
internal sealed class AlpsSolver
{
    private readonly SparsityTarget[] _targets;
    private readonly AlpsOptions _options;
    private readonly PenaltyPath _path;
    private readonly Tensor _supports;
    private readonly Tensor _weights;
    private readonly int[] _iterations;
    private readonly bool[] _settled;
    private long[] _active;
    private Tensor _dense;
    private Tensor _inverses;
    private Tensor _state;
    private Tensor _pruned;
    private double _penalty;

    private AlpsSolver(ScaledProblem problem, PenaltyPath path, SparsityTarget[] targets, AlpsOptions options)
    {
        _dense = problem.Weights.alias();
        _path = path;
        _targets = targets;
        _options = options;
        _penalty = options.Penalty;
        _inverses = path.At(_penalty);
        _active = [.. Enumerable.Range(0, (int)_dense.shape[0]).Select(i => (long)i)];
        _iterations = new int[_active.Length];
        _settled = new bool[_active.Length];
        _state = _dense.clone();
        _pruned = Select();
        _supports = empty_like(_pruned);
        _weights = empty_like(_state);
    }

    /// <summary>Finds the weights that go.</summary>
    /// <param name="problem">The scaled problem.</param>
    /// <param name="path">ρ(H + ρI)⁻¹ of its Hessians; follows the experts that are still searched for.</param>
    /// <param name="targets">Shares or patterns of the weights that go, one for each expert.</param>
    /// <param name="options">Penalties and limits.</param>
    /// <param name="cancellationToken">Observed between iterations.</param>
    public static AlpsSupports Solve(
        ScaledProblem problem, PenaltyPath path, SparsityTarget[] targets, AlpsOptions options,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var solver = new AlpsSolver(problem, path, targets, options);
        for (int iteration = 1; iteration <= options.MaxIterations && solver._active.Length > 0; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            solver.Iterate(iteration);
        }

        return new AlpsSupports(
            solver._supports.MoveToOuterDisposeScope(), solver._weights.MoveToOuterDisposeScope(), solver._iterations,
            solver._settled);
    }

    private Tensor Select() =>
        MaskSelection.Select(_state, [.. _active.Select(expert => _targets[expert])], SparsityScope.Layer);

    private void Iterate(int iteration)
    {
        using var scope = NewDisposeScope();
        bool raises = iteration > 1 && (iteration - 1) % _options.PenaltyInterval == 0;
        if (raises)
        {
            _penalty *= _options.PenaltyIncrease;
            Replace(ref _inverses, _path.At(_penalty));
        }

        float dualScale = raises ? (float)(1 / _options.PenaltyIncrease) : 1;
        Tensor product = AlpsUpdate.Step(_state, _pruned, _dense, dualScale, _inverses.dtype).bmm(_inverses);
        AlpsUpdate.Advance(_state, _pruned, _dense, dualScale, product);
        Tensor pruned = Select();
        double allowed = _options.SettledShare * pruned.shape[1] * pruned.shape[2];
        bool[] same = [.. AlpsUpdate.Changes(_pruned, pruned).Select(count => count <= allowed)];
        Replace(ref _pruned, pruned);
        Record(iteration, same);
    }

    private void Record(int iteration, bool[] same)
    {
        for (int i = 0; i < same.Length; i++)
        {
            _iterations[_active[i]] = iteration;
            _settled[_active[i]] = same[i];
        }

        if (iteration == _options.MaxIterations || same.Any(settled => settled))
        {
            using Tensor indices = tensor(_active, device: _pruned.device);
            _supports.index_copy_(0, indices, _pruned);
            _weights.index_copy_(0, indices, _state);
            KeepActive([.. Enumerable.Range(0, same.Length).Where(i => !same[i])]);
        }
    }

    /// <summary>
    /// Experts whose support has settled are done: more iterations would make their result depend on the others.
    /// </summary>
    private void KeepActive(int[] positions)
    {
        if (positions.Length > 0 && positions.Length < _active.Length)
        {
            using Tensor indices = tensor(positions.Select(i => (long)i).ToArray(), device: _pruned.device);
            _path.Keep(indices);
            Replace(ref _dense, _dense.index_select(0, indices));
            Replace(ref _inverses, _inverses.index_select(0, indices));
            Replace(ref _state, _state.index_select(0, indices));
            Replace(ref _pruned, _pruned.index_select(0, indices));
        }

        _active = [.. positions.Select(i => _active[i])];
    }

    /// <summary>Puts a tensor in place of one of the search's own, out of the iteration's scope.</summary>
    private static void Replace(ref Tensor old, Tensor replacement)
    {
        old.Dispose();
        old = replacement.MoveToOuterDisposeScope();
    }
}
