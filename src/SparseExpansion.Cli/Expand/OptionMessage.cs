using System.Globalization;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Pruning;

namespace SparseExpansion.Cli;

/// <summary>Says in terms of the tool's options what the library refuses in terms of its own.</summary>
internal static class OptionMessage
{
    /// <summary>The message for an error that options cause; null for others.</summary>
    public static string? Of(SparseExpansionException error) => error switch
    {
        IncompatibleSparsityException { Layer: { } layer } misfit => Text(
            $"--sparsity {misfit.Target}: needs in_features divisible by {misfit.Target.GroupSize}; layer '{layer}' has {misfit.InFeatures}. Take another group, or leave the layer out by --targets."),
        NoMatchingLayerException none => TargetsOption.NoMatch(none.Unmatched, none.Layers),
        MemoryBudgetException budget => $"--memory-budget {ByteSize.Format(budget.Plan.BudgetBytes!.Value)}: the expansion does not fit. {budget.Plan.Advice}",
        TooManyExpertsException many => Text(
            $"--experts {many.Experts}: only {many.Tokens} calibration tokens reached {many.Layer}. Calibrate on more tokens or ask for fewer experts."),
        _ => null,
    };

    /// <summary>How stored blocks differ from what is asked for, such as <c>sparsity was '0.5', is '0.6'</c>; null if the error is another one.</summary>
    public static string? Differences(SparseExpansionException error) =>
        error is OtherExpansionException other ? string.Join("; ", other.Differences) : null;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
