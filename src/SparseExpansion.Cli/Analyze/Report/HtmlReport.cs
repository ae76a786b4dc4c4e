using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Cli.Analyze.Figures;
using SparseExpansion.Cli.Analyze.Results;

namespace SparseExpansion.Cli.Analyze.Report;

/// <summary>report.html: one self-contained file.</summary>
internal static partial class HtmlReport
{
    public static string Create(AnalyzeReport report, IReadOnlyList<Figure> figures)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Neurons of {Escape(Name(report))}</title>
            <style>{HtmlStyle.Create()}</style>
            </head>
            <body>
            <h1>Neurons of {Escape(Name(report))}</h1>
            <p>{Escape(Introduction(report))}</p>

            """);
        AppendClaims(html, report);
        foreach (Figure figure in figures)
        {
            AppendFigure(html, figure, report);
        }

        AppendLayers(html, report);
        html.Append("""
            <p class="small">All numbers are in results.json, one row a neuron in neurons.csv, and the figures as SVG and PNG in the folder figures. Definitions follow
            arXiv 2405.15756.</p>
            </body>
            </html>

            """);
        return html.ToString();
    }

    private static string Introduction(AnalyzeReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{report.Layers.Count} linear layers, {report.Layers.Sum(layer => layer.Neurons.Count):N0} neurons, expanded to {string.Join(", ", report.Settings.Experts)} experts at {report.Settings.Sparsity:0.## %} sparsity by SparseGPT. Routers and pruners saw {report.CalibrationWindows} windows of {report.Context} tokens; everything was measured on {report.MeasuredWindows} others. Seed {report.Settings.Seed}, {report.Seconds:0} s.");

    private static void AppendClaims(StringBuilder html, AnalyzeReport report)
    {
        html.Append("<h2>Statements of the paper</h2>\n<p>Judged by fixed rules, only from the numbers of this run. A small model may well disagree.</p>\n");
        foreach (Claim claim in report.Claims)
        {
            int holding = claim.Evidence.Count(entry => entry.Holds);
            string count = claim.Evidence.Count == 1
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $", {holding} of {claim.Evidence.Count} layers");
            html.Append(CultureInfo.InvariantCulture, $"""
                <section class="claim {claim.Verdict.ToString().ToLowerInvariant()}">
                <h3>{Escape(claim.Name)} <span class="verdict">{VerdictText.Of(claim.Verdict)}{count}</span></h3>
                <p>{Escape(claim.Summary)}</p>
                <p class="small">{Escape(claim.Statement)}</p>
                {Evidence(claim)}
                </section>

                """);
        }
    }

    private static string Evidence(Claim claim)
    {
        string[] names = [.. claim.Evidence.SelectMany(entry => entry.Values.Keys).Distinct()];
        var table = new StringBuilder(
            "<details><summary>Numbers</summary><div class=\"scroll\"><table>\n<thead><tr><th>layer<th>holds");
        foreach (string name in names)
        {
            table.Append("<th>").Append(Escape(Spaced(name)));
        }

        table.Append("</tr></thead>\n<tbody>\n");
        foreach (ClaimEvidence entry in claim.Evidence)
        {
            table.Append(
                CultureInfo.InvariantCulture, $"<tr><th>{Escape(entry.Layer)}<td>{(entry.Holds ? "yes" : "no")}");
            foreach (string name in names)
            {
                table.Append(
                    CultureInfo.InvariantCulture, $"<td>{entry.Values.GetValueOrDefault(name, double.NaN):0.####}");
            }

            table.Append("</tr>\n");
        }

        return table.Append("</tbody></table></div></details>").ToString();
    }

    /// <summary>Converts "medianChange" to "median change".</summary>
    private static string Spaced(string name) =>
        WordStart().Replace(name, match => " " + match.Value.ToLowerInvariant());

    [GeneratedRegex("[A-Z]|(?<![0-9])[0-9]")]
    private static partial Regex WordStart();

    private static void AppendFigure(StringBuilder html, Figure figure, AnalyzeReport report)
    {
        html.Append(
            CultureInfo.InvariantCulture,
            $"<h2>{Escape(figure.Title)}</h2>\n<figure id=\"{figure.Name}\">\n<figcaption>{Escape(figure.Caption)}</figcaption>\n<p class=\"legend\">");
        foreach (LegendEntry entry in figure.Legend)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<span><i style=\"background:var({HtmlStyle.Variable(entry.Color)})\"></i>{Escape(entry.Text)}</span>");
        }

        html.Append("</p>\n<div class=\"panels\">\n");
        for (int i = 0; i < figure.Panels.Count; i++)
        {
            html.Append(InlineSvg.From(FigureFile.ToSvg(figure.Panels[i]), string.Create(CultureInfo.InvariantCulture, $"{figure.Name}{i}")))
                .Append('\n');
        }

        html.Append("</div>\n</figure>\n");
    }

    private static void AppendLayers(StringBuilder html, AnalyzeReport report)
    {
        html.Append("<h2>Layers</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>layer<th>shape<th>median W<sub>1</sub><th>largest W<sub>1</sub>");
        foreach (int count in report.Settings.Experts)
        {
            html.Append(CultureInfo.InvariantCulture, $"<th>median RI, {count}");
        }

        html.Append(
            CultureInfo.InvariantCulture,
            $"<th>random {report.Settings.MostExperts}<th>constant</tr></thead>\n<tbody>\n");
        foreach (LayerResult layer in report.Layers)
        {
            MeasureSummary distance = MeasureSummary.Of(layer.Wasserstein());
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr><th>{Escape(layer.Layer)}<td>{layer.OutFeatures}×{layer.InFeatures}<td>{distance.Median:0.000}<td>{distance.Maximum:0.000}");
            foreach (ExpansionPoint point in layer.Expansions.Append(layer.RandomClusters))
            {
                html.Append(CultureInfo.InvariantCulture, $"<td>{point.MedianRelativeImprovement:0.000}");
            }

            html.Append(CultureInfo.InvariantCulture, $"<td>{layer.ConstantNeurons}</tr>\n");
        }

        html.Append("</tbody></table></div>\n");
    }

    private static string Name(AnalyzeReport report) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(report.Model)));

    /// <summary>Typesets W1 with its index.</summary>
    private static string Escape(string text) =>
        WebUtility.HtmlEncode(text).Replace("W1", "W₁", StringComparison.Ordinal);
}
