using System.Globalization;
using System.Text.Json.Nodes;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;

namespace SparseExpansion.Cli.Expand;

/// <summary>Output of <c>expand</c>.</summary>
internal static class ExpandReport
{
    /// <summary>Writes the library's report, with the output folder and the peak memory of the process.</summary>
    public static void WriteJson(ToolHost host, ExpansionReport report, string outputFolder, long peakWorkingSetBytes)
    {
        JsonObject json = JsonNode.Parse(report.ToJson())!.AsObject();
        json.Add("peakWorkingSetBytes", peakWorkingSetBytes);
        json.Add("outputFolder", outputFolder);
        JsonOutput.Write(host, json);
    }

    public static void Print(TextLayout output, ExpansionReport report, string outputFolder, long peakWorkingSetBytes)
    {
        var table = new TextTable(
            new("layer"), new("shape", 7), new("experts", 4), new("tokens", 6), new("per expert", 5, "tokens per expert"), new("sparsity"), new("error"), new("dense", 3, "dense bytes"),
            new("experts", 2, "bytes of experts"));
        foreach (LayerReport layer in report.Layers)
        {
            table.Add(
                layer.Name,
                $"{layer.OutFeatures}x{layer.InFeatures}",
                Text($"{layer.Experts}"),
                Text($"{layer.Tokens}"),
                Text($"{layer.ExpertReports.Min(expert => expert.Tokens)}..{layer.ExpertReports.Max(expert => expert.Tokens)}"),
                Text($"{layer.Sparsity:0.0000}"),
                Text($"{layer.OutputError:0.00000}"),
                ByteSize.Format(layer.DenseBytes),
                ByteSize.Format(layer.ExpertBytes));
        }

        table.Write(output);
        output.WriteLine();
        foreach (string remark in ReportText.Remarks(report))
        {
            output.WriteLine(remark);
        }

        output.WriteLine(Text(
            $"{report.Layers.Count} layers, {report.Manifest.Pruner} at {report.Manifest.Sparsity}, {report.Manifest.Router}: {report.Seconds:0.0} s, peak memory {ByteSize.Format(peakWorkingSetBytes)}"));
        output.WriteLine($"saved to {outputFolder}");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
