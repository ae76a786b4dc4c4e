using System.Globalization;

namespace SparseExpansion.Expansion.Reports;

/// <summary>A report for people: a table of layers, and remarks.</summary>
internal static class ReportText
{
    /// <summary>One line a layer, without a line break at the end.</summary>
    public static string Of(ExpansionReport report)
    {
        int name = report.Layers.Select(layer => layer.Name.Length).Append("layer".Length).Max();
        string Row(string layer, string shape, string experts, string tokens, string sparsity, string error) =>
            $"{layer.PadRight(name)}  {shape,13}  {experts,7}  {tokens,9}  {sparsity,8}  {error,12}";
        string[] lines =
        [
            Text($"{report.Layers.Count} layers, {report.Manifest.Pruner} at {report.Manifest.Sparsity}, {report.Manifest.Router}: {report.Seconds:0.0} s"),
            Row("layer", "shape", "experts", "tokens", "sparsity", "output error"),
            .. report.Layers.Select(layer => Row(
                layer.Name, Text($"{layer.OutFeatures} x {layer.InFeatures}"), Text($"{layer.Experts}"),
                Text($"{layer.Tokens}"), Text($"{layer.Sparsity:0.0000}"),
                Text($"{layer.OutputError:0.00000}"))),
            .. Remarks(report),
        ];
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>
    /// A line for each input group whose experts or router did not stay as they were trained, and for each block that
    /// was trained.
    /// </summary>
    public static IEnumerable<string> Remarks(ExpansionReport report) =>
    [
        .. report.Layers.Where(layer => layer.Name == layer.InputGroup[0]).Select(Of).OfType<string>(),
        .. ExpansionRecipe.Remarks.SelectMany(remarks => remarks.Describe(report)),
    ];

    private static string? Of(LayerReport layer)
    {
        string[] remarks = [.. ExpansionRecipe.Remarks.Select(part => part.Describe(layer)).OfType<string>()];
        return remarks.Length == 0 ? null : $"{string.Join(", ", layer.InputGroup)}: {string.Join("; ", remarks)}";
    }

    /// <summary>"1 block", "2 blocks".</summary>
    public static string Count(int count, string noun) => Text($"{count} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>Text in the invariant culture.</summary>
    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
