using System.Globalization;
using SparseExpansion.Cli.Analyze.Report;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Cli.Hosting;

namespace SparseExpansion.Cli.Analyze;

/// <summary>Console output of <c>analyze</c>; everything else is in the folder.</summary>
/// <param name="OutputFolder">Folder of the report.</param>
/// <param name="Layers">Number of analyzed layers.</param>
/// <param name="Seconds">Duration of all measurements.</param>
/// <param name="Claims">The paper's statements and their verdicts.</param>
internal sealed record AnalyzeSummary(string OutputFolder, int Layers, double Seconds, IReadOnlyList<Claim> Claims)
{
    public static AnalyzeSummary Of(AnalyzeReport report, string output) =>
        new(output, report.Layers.Count, report.Seconds, report.Claims);

    public static void Print(TextLayout writer, AnalyzeReport report, string output)
    {
        foreach (Claim claim in report.Claims)
        {
            writer.WriteLine($"{claim.Name}: {VerdictText.Of(claim.Verdict)}. {claim.Summary}");
        }

        writer.WriteLine();
        writer.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{report.Layers.Count} layers, {report.Seconds:0.0} s"));
        writer.WriteLine($"saved to {output}; open {Path.Combine(output, ReportFolder.Html)}");
    }
}
