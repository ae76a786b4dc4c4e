using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.Memory;
using SparseExpansion.Pruning;

namespace SparseExpansion.Cli.Expand;

/// <summary>Translates the library's errors into messages about options of the tool.</summary>
internal static class OptionMessage
{
    /// <summary>Message for an error that options cause; null for other errors.</summary>
    public static string? Of(SparseExpansionException error) => error switch
    {
        IncompatibleSparsityException { Layer: { } layer } misfit => Text(
            $"--sparsity {misfit.Target}: needs in_features divisible by {misfit.Target.GroupSize}; layer '{layer}' has {misfit.InFeatures}. Choose another group size, or exclude the layer with --targets."),
        NoMatchingLayerException none => TargetsOption.NoMatch(none.Unmatched, none.Layers),
        MemoryBudgetException budget => $"--memory-budget {ByteSize.Format(budget.Plan.BudgetBytes!.Value)}: the expansion does not fit. {budget.Plan.Advice}",
        TooManyExpertsException many => Text(
            $"--experts {many.Experts}: only {many.Tokens} calibration tokens reached {many.Layer}. Calibrate on more tokens or ask for fewer experts."),
        _ => null,
    };

    /// <summary>
    /// Differences between stored blocks and this run, such as <c>sparsity was '0.5', is '0.6'</c>; null for other
    /// errors.
    /// </summary>
    public static string? Differences(SparseExpansionException error) =>
        error is OtherExpansionException other ? string.Join("; ", other.Differences) : null;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
