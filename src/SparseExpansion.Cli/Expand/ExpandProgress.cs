using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Blocks;

namespace SparseExpansion.Cli.Expand;

/// <summary>Describes the progress of an expansion, and notices finished blocks.</summary>
internal sealed class ExpandProgress(ProgressHandler show) : IProgress<ExpansionProgress>
{
    private int? _block;

    public void Report(ExpansionProgress value)
    {
        // A resumed expansion begins after the blocks that it installed from the store.
        int done = value.Stage == ExpansionStage.Finished ? value.BlockCount : value.Block;
        string? finished = done > (_block ?? value.Block) ? $"{Block(done, value)} finished{Left(value)}" : null;
        _block = done;
        show(value.Fraction, Describe(value), finished);
    }

    private static ProgressText Describe(ExpansionProgress step)
    {
        string stage = step.Stage.ToString().ToLowerInvariant();
        string of = string.Create(CultureInfo.InvariantCulture, $"{step.Block + 1}/{step.BlockCount}");
        return new ProgressText(
            $"{Block(step.Block + 1, step)}{Left(step)} {stage} {Layer(step, path => path)}".TrimEnd(),
            $"{Block(step.Block + 1, step)}{Left(step)} {stage} {Layer(step, ModulePath.FromBlock)}".TrimEnd(),
            $"block {of} {stage} {Layer(step, ModulePath.FromBlock)}".TrimEnd(),
            $"block {of} {stage} {Layer(step, path => ModulePath.Last(path, 1))}".TrimEnd(),
            $"{of} {stage} {Layer(step, path => ModulePath.Last(path, 1))}".TrimEnd(),
            $"{of} {stage}");
    }

    /// <summary>A group of linears is named by its first one.</summary>
    private static string Layer(ExpansionProgress step, Func<string, string> shorten) =>
        step.Layer?.Split(", ") is not [string first, .. string[] others] ? ""
        : others.Length > 0 ? $"{shorten(first)} +{others.Length}" : shorten(first);

    private static string Block(int number, ExpansionProgress step) =>
        string.Create(CultureInfo.InvariantCulture, $"block {number}/{step.BlockCount}");

    private static string Left(ExpansionProgress step) =>
        step is { TimeLeft: { } time, Fraction: < 1 } ? $", {Show(time)} left" : "";

    private static string Show(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:D2}");
}
