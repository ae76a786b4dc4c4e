using SparseExpansion.Cli.Analyze.Figures;
using SparseExpansion.Cli.Analyze.Results;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Output;

namespace SparseExpansion.Cli.Analyze.Report;

/// <summary>The files of a report.</summary>
internal static class ReportFolder
{
    public const string Html = "report.html";
    public const string Results = "results.json";
    public const string Neurons = "neurons.csv";
    public const string Figures = "figures";

    /// <summary>Output of <c>analyze</c>.</summary>
    public static OutputKind Kind { get; } = new(
        "reports of 'analyze'", folder => File.Exists(Path.Combine(folder, Html)) && File.Exists(Path.Combine(folder, Results)));

    /// <summary>Writes all of them into an empty folder.</summary>
    public static void Write(AnalyzeReport report, string folder, ToolHost host)
    {
        using (StreamWriter results = File.CreateText(Path.Combine(folder, Results)))
        {
            JsonOutput.Write(host with { Output = results }, report);
        }

        using (StreamWriter neurons = File.CreateText(Path.Combine(folder, Neurons)))
        {
            NeuronTable.Write(report, neurons);
        }

        Figure[] figures =
        [
            DistributionFigure.Draw(report), HistogramFigure.Draw(report), ScatterFigure.DrawImprovement(report), ScatterFigure.DrawDifficulty(report),
            AblationFigure.Draw(report), TokensFigure.Draw(report),
        ];
        string figureFolder = Directory.CreateDirectory(Path.Combine(folder, Figures)).FullName;
        foreach (Figure figure in figures)
        {
            host.CancellationToken.ThrowIfCancellationRequested();
            FigureFile.Save(figure, figureFolder);
        }

        File.WriteAllText(Path.Combine(folder, Html), HtmlReport.Create(report, figures));
    }
}
