using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Experts;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Refinement;

/// <summary>Experts made for a router from some tokens, and what they lose on others.</summary>
internal sealed class RouterTrial : IDisposable
{
    private readonly List<IReadOnlyList<PruningResult>> _experts = [];

    private RouterTrial()
    {
    }

    /// <summary>The experts of each linear.</summary>
    public IReadOnlyList<IReadOnlyList<PruningResult>> Experts => _experts;

    /// <summary>Output energy of each linear over the held-out tokens.</summary>
    public IReadOnlyList<double> Energies { get; private set; } = [];

    /// <summary>Relative output error over the held-out tokens, summed over the linears.</summary>
    public double Error { get; private set; }

    /// <summary>Prunes every linear of a group for a router.</summary>
    public static RouterTrial Run(
        ExpertPruner pruner, IReadOnlyList<Tensor> weights, IReadOnlyList<SparsityTarget> targets, IRouter router,
        TokenRange fitted, TokenRange heldOut, double priorTokens, CancellationToken cancellationToken)
    {
        var trial = new RouterTrial();
        try
        {
            using ExpertStatistics statistics = pruner.Gather(
                pruner.Divide(fitted, router, cancellationToken), priorTokens, cancellationToken);
            ExpertTokens unseen = pruner.Divide(heldOut, router, cancellationToken);
            var errors = new List<ExpertOutputErrors>();
            foreach ((Tensor weight, SparsityTarget target) in weights.Zip(targets))
            {
                trial._experts.Add((pruner with { Target = target }).Prune(weight, statistics, cancellationToken));
                errors.Add(OutputErrorMeter.Measure(weight, trial._experts[^1], unseen, cancellationToken));
            }

            trial.Energies = [.. errors.Select(error => error.Energy.Sum())];
            trial.Error = errors.Sum(error => error.Total);
            return trial;
        }
        catch
        {
            trial.Dispose();
            throw;
        }
    }

    public void Dispose() => _experts.ForEach(experts => experts.DisposeAll());
}
