using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Memory;

namespace SparseExpansion.Cli.Expand;

/// <summary>Text form of a memory plan.</summary>
internal static class MemoryPlanText
{
    /// <summary>Writes the library's own table to a file, and one that fits to a terminal.</summary>
    public static void Print(TextLayout output, ExpansionMemoryPlan plan)
    {
        if (output.Width is null)
        {
            output.WriteLine(plan.ToString());
            return;
        }

        var table = new TextTable(new("stage"), new("bytes"), new("passes", 1), new("seconds"));
        table.Add("resident", ByteSize.Format(plan.ResidentBytes), "", "");
        foreach (MemoryStage stage in plan.Stages)
        {
            table.Add(stage.Name, ByteSize.Format(stage.Bytes), Text($"{stage.Passes}"), Text($"{stage.Seconds:0.0}"));
        }

        table.Add("peak", ByteSize.Format(plan.PeakBytes), "", Text($"{plan.Seconds:0.0}"));
        table.Write(output);
        output.WriteLine(Text(
            $"activations {(plan.SpillsActivations ? $"on disk ({ByteSize.Format(plan.ScratchBytes)})" : "in memory")}, statistics of {plan.ExpertsAtOnce} experts at a time"));
        if (plan.BudgetBytes is { } budget)
        {
            output.WriteLine(
                $"budget {ByteSize.Format(budget)}: {(plan.Fits ? "fits" : $"does not fit. {plan.Advice}")}");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
