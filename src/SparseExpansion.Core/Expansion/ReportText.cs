using System.Globalization;

namespace SparseExpansion.Expansion;

/// <summary>A report for people: a table of layers, and what fine-tuning did.</summary>
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
            .. report.FineTuning.Select(Of),
        ];
        return string.Join(Environment.NewLine, lines);
    }

    /// <summary>What fine-tuning did to one block.</summary>
    public static string Of(BlockFineTuning block) => Text(
        $"block {block.Block} fine-tuned: held-out {block.Loss} {block.LossBefore:0.000000} to {block.LossAfter:0.000000}, by step {block.KeptStep} of {block.Steps}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
