using SparseExpansion.Expansion.Memory;

namespace SparseExpansion.Expansion.Refinement;

/// <summary>
/// Memory and work that refinement of routers takes: a round prunes, measures each token at each expert and fits a
/// router.
/// </summary>
internal static class RefinementCost
{
    /// <summary>Memory and operations.</summary>
    public static StepCost Of(RouterRefinementOptions options, WorkSize size) => new()
    {
        Trials = options.Rounds,
        TrialOperations = options.Rounds * size.Blocks.SelectMany(WorkSize.Widths)
            .Sum(width => Refit(options, size, width.Key, width.Sum(slot => Math.Min(options.Rows, WorkSize.Shape(slot).Out)))),

        // The tokens that a router learns from: as captured, standardized, and one more copy on the way.
        TrialBytes = features => 3 * sizeof(float) * Math.Min(options.FitTokens, size.Tokens) * features,
    };

    private static double Refit(RouterRefinementOptions options, WorkSize size, double features, double rows)
    {
        double costs = 2 * Math.Min(features, rows), fitting = 4 * options.Epochs / WorkEstimate.SmallProductEfficiency;
        return size.Experts * Math.Min(options.FitTokens, size.Tokens) * features * (costs + fitting);
    }
}
