namespace SparseExpansion.MutationSampler;

/// <summary>Counts a report by folder.</summary>
internal static class Summary
{
    /// <summary>Writes a line a folder, and one for all.</summary>
    public static void Write(string report, TextWriter output)
    {
        ReportLine[] mutants = [.. File.ReadLines(report).Select(ReportLine.Parse)];
        foreach (IGrouping<string, ReportLine> folder in mutants.GroupBy(mutant => mutant.Folder).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Write(folder.Key, [.. folder.Select(mutant => mutant.Outcome)], output);
        }

        Write("all", [.. mutants.Select(mutant => mutant.Outcome)], output);
    }

    private static void Write(string name, Outcome[] outcomes, TextWriter output)
    {
        int killed = outcomes.Count(outcome => outcome == Outcome.Killed), late = outcomes.Count(outcome => outcome == Outcome.Timeout);
        int survived = outcomes.Count(outcome => outcome == Outcome.Survived), tested = killed + late + survived;
        output.WriteLine($"{name}: {tested} mutants, {killed} killed, {late} timed out, {survived} survived: {(killed + late) / (double)Math.Max(tested, 1):P1}");
    }
}
