using System.Globalization;

namespace SparseExpansion.Expansion;

/// <summary>A report for people: a table of layers, and what became of routers and blocks.</summary>
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
                layer.Name, Text($"{layer.OutFeatures} x {layer.InFeatures}"), Text($"{layer.Experts}"), Text($"{layer.Tokens}"), Text($"{layer.Sparsity:0.0000}"),
                Text($"{layer.OutputError:0.00000}"))),
            .. Remarks(report),
        ];
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>A line for each input group whose experts or router did not stay as they were trained, and for each fine-tuned block.</summary>
    public static IEnumerable<string> Remarks(ExpansionReport report) =>
    [
        .. report.Layers.Where(layer => layer.Name == layer.InputGroup[0]).Select(Of).OfType<string>(),
        .. report.FineTuning.Select(Of),
    ];

    private static string? Of(LayerReport layer)
    {
        string[] parts =
        [
            .. layer is { RouterRefinement: { } refinement, Experts: > 1 } ? [Of(refinement)] : Array.Empty<string>(),
            .. layer.DissolvedExperts > 0 ? [Text($"{Count(layer.DissolvedExperts, "expert")} dissolved for want of tokens")] : Array.Empty<string>(),
            .. layer.PriorTokens > 0 ? [Text($"statistics shrunk towards the layer's by {layer.PriorTokens:0.##} tokens")] : Array.Empty<string>(),
        ];
        return parts.Length == 0 ? null : $"{string.Join(", ", layer.InputGroup)}: {string.Join("; ", parts)}";
    }

    private static string Of(RouterRefinement refinement) => refinement.Rounds == 0
        ? Text($"trained router kept, none did better on held-out tokens than its error of {refinement.ErrorBefore:0.00000}")
        : Text($"router refined in {Count(refinement.Rounds, "round")}, held-out error {refinement.ErrorBefore:0.00000} to {refinement.ErrorAfter:0.00000}");

    /// <summary>"1 block", "2 blocks".</summary>
    public static string Count(int count, string noun) => Text($"{count} {noun}{(count == 1 ? "" : "s")}");

    private static string Of(BlockFineTuning block) => Text(
        $"block {block.Block} fine-tuned: held-out {block.Loss} {block.LossBefore:0.000000} to {block.LossAfter:0.000000}, by step {block.KeptStep} of {block.Steps}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
