using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// The search for supports by ADMM, for a batch of experts: min tr((Ŵ − W)H(Ŵ − W)ᵀ) with W = D and D sparse enough.
/// Meng et al. 2024 (arXiv 2406.07831), Algorithm 1.
/// </summary>
/// <remarks>
/// With the dual V = ρU, one iteration is W = (HŴ + ρ(D − U))(H + ρI)⁻¹, S = W + U, D = the largest of S, U = S − D. So D
/// and U are the two parts of S, and S with its mask is all the state there is; the product is taken of
/// W − Ŵ = ρ(D − U − Ŵ)(H + ρI)⁻¹, which loses no digits to Ŵ. The paper takes one eigendecomposition; a Cholesky inverse
/// for each penalty costs about as much in all and gives the same digits whatever the number of threads.
/// </remarks>
internal sealed class AlpsSolver
{
    private readonly SparsityTarget[] _targets;
    private readonly AlpsOptions _options;
    private readonly Tensor _supports;
    private readonly Tensor _weights;
    private readonly int[] _iterations;
    private readonly ScalarType _precision;
    private readonly bool[] _settled;
    private ScaledProblem _problem;
    private long[] _active;
    private Tensor _inverses;
    private Tensor _state;
    private Tensor _pruned;
    private double _penalty;

    private AlpsSolver(ScaledProblem problem, Tensor inverses, SparsityTarget[] targets, AlpsOptions options)
    {
        _problem = problem;
        _precision = options.ReducedPrecision && FastProducts.Bfloat16(inverses.device) ? ScalarType.BFloat16 : ScalarType.Float32;
        _inverses = inverses.to(_precision);
        _targets = targets;
        _options = options;
        _penalty = options.Penalty;
        _active = [.. Enumerable.Range(0, (int)problem.Weights.shape[0]).Select(i => (long)i)];
        _iterations = new int[_active.Length];
        _settled = new bool[_active.Length];
        _state = problem.Weights.clone();
        _pruned = Select(_state);
        _supports = empty_like(_pruned);
        _weights = empty_like(_state);
    }

    /// <summary>Finds the weights that go.</summary>
    /// <param name="problem">The scaled problem.</param>
    /// <param name="inverses">(H + ρI)⁻¹ for the first penalty, [k, d, d].</param>
    /// <param name="targets">How many weights go, one for each expert.</param>
    /// <param name="options">Penalties and limits.</param>
    /// <param name="cancellationToken">Observed between iterations.</param>
    public static AlpsSupports Solve(
        ScaledProblem problem, Tensor inverses, SparsityTarget[] targets, AlpsOptions options, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var solver = new AlpsSolver(problem, inverses, targets, options);
        for (int iteration = 1; iteration <= options.MaxIterations && solver._active.Length > 0; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (iteration > 1 && (iteration - 1) % options.PenaltyInterval == 0)
            {
                solver.RaisePenalty();
            }

            solver.Iterate(iteration);
        }

        return new AlpsSupports(solver._supports.MoveToOuterDisposeScope(), solver._weights.MoveToOuterDisposeScope(), solver._iterations, solver._settled);
    }

    private Tensor Select(Tensor state)
    {
        using Tensor scores = state.abs();
        return MaskSelection.Select(scores, [.. _active.Select(expert => _targets[expert])], SparsityScope.Layer);
    }

    /// <summary>V = ρU stays: the dual part of the state, what was pruned of it, shrinks as ρ grows.</summary>
    private void RaisePenalty()
    {
        _penalty *= _options.PenaltyIncrease;
        using var scope = NewDisposeScope();
        Replace(ref _inverses, PenalizedInverse.Compute(_problem.Hessians, _penalty).to(_precision).MoveToOuterDisposeScope());
        _state.mul_(_pruned.to(ScalarType.Float32).mul_((1 / _options.PenaltyIncrease) - 1).add_(1));
    }

    private void Iterate(int iteration)
    {
        using (var scope = NewDisposeScope())
        {
            Tensor dual = _state * _pruned.to(ScalarType.Float32);
            Tensor step = _state.sub_(dual).sub_(dual).sub_(_problem.Weights); // D − U − Ŵ
            Tensor product = step.to(_inverses.dtype).bmm(_inverses);
            _state.copy_(dual).add_(_problem.Weights).add_(product, alpha: _penalty);
        }

        Tensor pruned = Select(_state);
        using Tensor different = pruned.ne(_pruned), changes = different.sum([1L, 2L]), host = changes.cpu();
        double allowed = _options.SettledShare * pruned.shape[1] * pruned.shape[2];
        Replace(ref _pruned, pruned);
        Record(iteration, [.. host.data<long>().Select(count => count <= allowed)]);
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

    /// <summary>Experts whose support has settled are done: more iterations would make their result depend on the others.</summary>
    private void KeepActive(int[] positions)
    {
        if (positions.Length > 0 && positions.Length < _active.Length)
        {
            using Tensor indices = tensor(positions.Select(i => (long)i).ToArray(), device: _pruned.device);
            ReplaceProblem(_problem.Select(indices));
            Replace(ref _inverses, _inverses.index_select(0, indices));
            Replace(ref _state, _state.index_select(0, indices));
            Replace(ref _pruned, _pruned.index_select(0, indices));
        }

        _active = [.. positions.Select(i => _active[i])];
    }

    /// <summary>The first problem is the caller's; those of fewer experts are this search's own.</summary>
    private void ReplaceProblem(ScaledProblem replacement)
    {
        if (_active.Length < _iterations.Length)
        {
            _problem.Dispose();
        }

        _problem = replacement;
    }

    private static void Replace(ref Tensor old, Tensor replacement)
    {
        old.Dispose();
        old = replacement;
    }
}
