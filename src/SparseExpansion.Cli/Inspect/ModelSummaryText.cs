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
    }

    private static void PrintMixtures(TextWriter output, IEnumerable<MixtureSummary> mixtures)
    {
        var table = new TextTable("expanded layer", "shape", "experts", "sparsity", "size", "router", "group");
        foreach (MixtureSummary layer in mixtures)
        {
            table.Add(
                layer.Name, $"{layer.OutFeatures}x{layer.InFeatures}", Text($"{layer.Experts}"), Text($"{layer.Sparsity:0.0000}"),
                ByteSize.Format(layer.Bytes), layer.Router, Text($"{layer.Group}"));
        }

        table.Write(output);
    }

    private static void PrintLinears(TextWriter output, IEnumerable<LinearSummary> linears)
    {
        var table = new TextTable("dense layer", "shape", "size");
        foreach (LinearSummary layer in linears)
        {
            table.Add(layer.Name, $"{layer.OutFeatures}x{layer.InFeatures}", ByteSize.Format(layer.Bytes));
        }

        table.Write(output);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
