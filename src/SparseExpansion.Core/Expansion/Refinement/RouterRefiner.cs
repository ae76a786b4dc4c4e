using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.Pipeline;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.Refinement;

/// <summary>Improves the router of a group by the errors of its experts, round by round.</summary>
/// <param name="options">Rounds and what they look at.</param>
/// <param name="pruner">Makes the experts of a trial.</param>
/// <param name="priorTokens">Strength of the shrinkage.</param>
/// <param name="adjust"> Exchanges a router for one that the rest of the expansion can work with, judged by some
/// tokens.
/// </param>
/// <param name="seed">Seed of the group.</param>
/// <param name="progress">Told the share of all trials that is done, before the first one too.</param>
/// <param name="cancellationToken">Observed between rounds.</param>
internal sealed class RouterRefiner(
    RouterRefinementOptions options, ExpertPruner pruner, double priorTokens,
    Func<IRouter, ITokenSource, IRouter> adjust, long seed, Action<double> progress,
    CancellationToken cancellationToken)
{
    /// <summary>Looks for a better router.</summary>
    /// <param name="start">The trained router; stays with the caller.</param>
    /// <param name="weights">The group's linears, [out_features, in_features] each.</param>
    /// <param name="targets">Targets that say how many of their weights are pruned.</param>
    /// <param name="tokens">The calibration tokens.</param>
    /// <returns>A router that the caller disposes, or null where <paramref name="start"/> is better.</returns>
    public (IRouter? Router, RouterRefinement Report) Refine(
        IRouter start, IReadOnlyList<Tensor> weights, IReadOnlyList<SparsityTarget> targets, ITokenSource tokens)
    {
        if (start.ExpertCount == 1 || tokens.TokenCount < 2)
        {
            return (null, new RouterRefinement(0, 0, 0));
        }

        using var scope = NewDisposeScope();
        Tensor[] rows = [.. weights.Select(weight => ExpertPruner.RowsForTrial(weight, options.Rows))];
        (TokenRange fitted, TokenRange heldOut) = TokenRange.Split(tokens, options.HoldOut);
        IRouter? best = null;
        progress(0);
        RouterTrial trial = Try(start);
        var report = new RouterRefinement(0, trial.Error, trial.Error);
        try
        {
            for (int round = 1; round <= options.Rounds && trial.Energies.All(energy => energy > 0); round++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress(round / (options.Rounds + 1.0));
                IRouter candidate = Fit(trial, rows, fitted, round);
                progress((round + 0.5) / (options.Rounds + 1));
                if (!Improves(candidate))
                {
                    candidate.Dispose();
                    break;
                }

                best?.Dispose();
                best = candidate;
                report = report with { Rounds = round, ErrorAfter = trial.Error };
            }
        }
        catch
        {
            best?.Dispose();
            throw;
        }
        finally
        {
            trial.Dispose();
        }

        return (best, report);

        RouterTrial Try(IRouter router) =>
            RouterTrial.Run(pruner, rows, targets, router, fitted, heldOut, priorTokens, cancellationToken);

        bool Improves(IRouter candidate)
        {
            try
            {
                RouterTrial next = Try(candidate);
                trial.Dispose();
                trial = next;
                return next.Error < report.ErrorAfter;
            }
            catch
            {
                candidate.Dispose();
                throw;
            }
        }
    }

    private IRouter Fit(RouterTrial trial, IReadOnlyList<Tensor> rows, TokenRange fitted, int round)
    {
        using var scope = NewDisposeScope();
        long count = Math.Min(fitted.TokenCount, options.FitTokens);
        long[] chosen = [.. Enumerable.Range(0, (int)count).Select(i => i * fitted.TokenCount / count)];
        Tensor sample = fitted.Gather(chosen, pruner.Layer.Device);
        Tensor costs = TokenCosts.Compute(rows, trial.Experts, trial.Energies, sample, pruner.ChunkTokens);
        LinearRouter router = SoftmaxRegression.Fit(
            sample, costs, options.Epochs, options.WeightDecay, seed + round, cancellationToken);
        return adjust(router, fitted);
    }
}
