using System.Globalization;

namespace SparseExpansion.Cli;

/// <summary>Shows a summary to people.</summary>
internal static class ModelSummaryText
{
    public static void Print(TextWriter output, ModelSummary summary)
    {
        output.WriteLine(Text(
            $"{summary.ModelType}, {summary.Blocks} blocks, hidden {summary.HiddenSize}, feed-forward {summary.IntermediateSize}, {summary.Heads} heads ({summary.KeyValueHeads} key-value), vocabulary {summary.Vocabulary}, context {summary.MaxPositions}"));
        output.WriteLine(Text($"{summary.Parameters} parameters{(summary.TiedEmbeddings ? ", tied embeddings" : "")}"));
        if (summary.Mixtures.Count > 0)
        {
            output.WriteLine();
            PrintMixtures(output, summary.Mixtures);
        }

        if (summary.Linears.Count > 0)
        {
            output.WriteLine();
            PrintLinears(output, summary.Linears);
        }

        output.WriteLine();
        PrintTotals(output, summary.Totals);
    }

    private static void PrintMixtures(TextWriter output, IEnumerable<MixtureSummary> mixtures)
    {
        var table = new TextTable("expanded layer", "shape", "experts", "sparsity", "bits", "on disk", "in memory", "per token", "dense", "router", "group");
        foreach (MixtureSummary layer in mixtures)
        {
            table.Add(
                layer.Name, $"{layer.OutFeatures}x{layer.InFeatures}", Text($"{layer.Experts}"), Text($"{layer.Sparsity:0.0000}"), Text($"{layer.Bits}"),
                ByteSize.Format(layer.BytesOnDisk), ByteSize.Format(layer.Bytes), ByteSize.Format(layer.BytesPerToken), ByteSize.Format(layer.DenseBytes),
                layer.Router, Text($"{layer.Group}"));
        }

        table.Write(output);
    }

    private static void PrintLinears(TextWriter output, IEnumerable<LinearSummary> linears)
    {
        var table = new TextTable("dense layer", "shape", "on disk", "in memory", "per token");
        foreach (LinearSummary layer in linears)
        {
            table.Add(layer.Name, $"{layer.OutFeatures}x{layer.InFeatures}", ByteSize.Format(layer.BytesOnDisk), ByteSize.Format(layer.Bytes), ByteSize.Format(layer.Bytes));
        }

        table.Write(output);
    }

    private static void PrintTotals(TextWriter output, SizeTotals totals) => output.WriteLine(
        $"linears and routers: {ByteSize.Format(totals.BytesOnDisk)} on disk, {ByteSize.Format(totals.Bytes)} in memory, "
        + $"{ByteSize.Format(totals.BytesPerToken)} read per token; dense {ByteSize.Format(totals.DenseBytes)} in memory and per token");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
