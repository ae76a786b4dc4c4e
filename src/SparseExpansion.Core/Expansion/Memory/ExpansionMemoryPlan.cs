using System.Globalization;
using System.Text;

namespace SparseExpansion.Expansion.Memory;

/// <summary>
/// Memory and time that an expansion will take, as far as can be told beforehand. Bytes err on the side of too many.
/// </summary>
public sealed record ExpansionMemoryPlan
{
    /// <summary>The budget; null: none was given.</summary>
    public required long? BudgetBytes { get; init; }

    /// <summary>
    /// Bytes that are in memory all the time: libraries, dense weights, finished blocks, the experts of the block at
    /// work.
    /// </summary>
    public required long ResidentBytes { get; init; }

    /// <summary>The stages in the order of work.</summary>
    public required IReadOnlyList<MemoryStage> Stages { get; init; }

    /// <summary>True if activations go to disk.</summary>
    public required bool SpillsActivations { get; init; }

    /// <summary>Bytes of disk for activations.</summary>
    public required long ScratchBytes { get; init; }

    /// <summary>Fewest experts of any layer whose statistics exist at a time.</summary>
    public required int ExpertsAtOnce { get; init; }

    /// <summary>The least that any cut of the work takes.</summary>
    public required long LeastBytes { get; init; }

    /// <summary>Memory at the largest stage.</summary>
    public long PeakBytes => ResidentBytes + Stages.Max(stage => stage.Bytes);

    /// <summary>Estimated time. An order of magnitude: it is reckoned from the speed of one product.</summary>
    public double Seconds => Stages.Sum(stage => stage.Seconds);

    /// <summary>True if there is no budget, or the plan keeps to it.</summary>
    public bool Fits => BudgetBytes is null || PeakBytes <= BudgetBytes;

    /// <summary>Changes that would make the plan fit; empty where it fits.</summary>
    public required string Advice { get; init; }

    /// <summary>A table for people.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(Line("stage", "bytes", "passes", "seconds"));
        text.AppendLine(Line("resident", Size(ResidentBytes), "", ""));
        foreach (MemoryStage stage in Stages)
        {
            text.AppendLine(Line(stage.Name, Size(stage.Bytes), Number(stage.Passes), stage.Seconds.ToString("0.0", CultureInfo.InvariantCulture)));
        }

        text.AppendLine(Line("peak", Size(PeakBytes), "", Seconds.ToString("0.0", CultureInfo.InvariantCulture)));
        text.Append(CultureInfo.InvariantCulture, $"activations {(SpillsActivations ? $"on disk ({Size(ScratchBytes)})" : "in memory")}, statistics of {ExpertsAtOnce} experts at a time");
        if (BudgetBytes is { } budget)
        {
            text.Append(CultureInfo.InvariantCulture, $"; budget {Size(budget)}: {(Fits ? "fits" : "does not fit. " + Advice)}");
        }

        return text.ToString();
    }

    internal static string Size(long bytes) => bytes < 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.00} GiB");

    private static string Line(string name, string bytes, string passes, string seconds) =>
        $"{name,-28}{bytes,12}{passes,8}{seconds,10}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
