using System.Globalization;
using SparseExpansion.Cli.Hosting;

namespace SparseExpansion.Cli.Inspect;

/// <summary>Text form of a summary.</summary>
internal static class ModelSummaryText
{
    public static void Print(TextLayout output, ModelSummary summary)
    {
        output.WriteLine(Text(
            $"{summary.ModelType}, {summary.Blocks} blocks, hidden {summary.HiddenSize}, feed-forward {summary.IntermediateSize}, {summary.Heads} heads ({summary.KeyValueHeads} key-value), vocabulary {summary.Vocabulary}, context {summary.MaxPositions}"));
        output.WriteLine(Text($"{summary.DenseParameters} parameters{(summary.Expanded ? " of the dense model" : "")}{(summary.TiedEmbeddings ? ", tied embeddings" : "")}"));
        if (summary.Expanded)
        {
            output.WriteLine(Text(
                $"{summary.StoredParameters} stored in all experts and everything else ({summary.Parameters} with zeros), {summary.ActiveParameters} active per token"));
        }

        if (summary.Mixtures.Count > 0)
        {
            output.WriteLine();
            PrintMixtures(output, summary.Mixtures);
        }

        output.WriteLine();
        PrintLinears(output, summary.Embedding, summary.Linears);
        output.WriteLine();
        PrintTotals(output, summary.Totals);
        PrintDecoding(output, summary.Decoding);
    }

    private static void PrintMixtures(TextLayout output, IEnumerable<MixtureSummary> mixtures)
    {
        var table = new TextTable(
            new("expanded layer"), new("shape", 6), new("experts", 4), new("sparsity", 1), new("bits", 7), new("on disk", 5), new("in memory"), new("per token"), new("dense", 3, "dense bytes"),
            new("router", 8), new("group", 9));
        foreach (MixtureSummary layer in mixtures)
        {
            table.Add(
                layer.Name, $"{layer.OutFeatures}x{layer.InFeatures}", Text($"{layer.Experts}"), Text($"{layer.Sparsity:0.0000}"), Text($"{layer.Bits}"),
                ByteSize.Format(layer.BytesOnDisk), ByteSize.Format(layer.Bytes), ByteSize.Format(layer.BytesPerToken), ByteSize.Format(layer.DenseBytes),
                layer.Router, Text($"{layer.Group}"));
        }

        table.Write(output);
    }

    private static void PrintLinears(TextLayout output, LinearSummary embedding, IEnumerable<LinearSummary> linears)
    {
        var table = new TextTable(
            new("dense layer"), new("shape", 1), new("bits", 4), new("on disk", 2), new("in memory"), new("per token", 3));
        foreach (LinearSummary layer in linears.Prepend(embedding))
        {
            table.Add(
                layer.Name, $"{layer.OutFeatures}x{layer.InFeatures}", Text($"{layer.Bits}"), ByteSize.Format(layer.BytesOnDisk),
                ByteSize.Format(layer.Bytes), ByteSize.Format(layer == embedding ? layer.Bytes / layer.OutFeatures : layer.Bytes));
        }

        table.Write(output);
    }

    private static void PrintTotals(TextLayout output, SizeTotals totals) => output.WriteLine(
        $"linears and routers: {ByteSize.Format(totals.BytesOnDisk)} on disk, {ByteSize.Format(totals.Bytes)} in memory, "
        + $"{ByteSize.Format(totals.BytesPerToken)} read per token; dense {ByteSize.Format(totals.DenseBytes)} in memory and per token");

    private static void PrintDecoding(TextLayout output, DecodingSummary decoding)
    {
        output.WriteLine(
            $"a generated token reads {ByteSize.Format(decoding.BytesPerToken)} of what is stored: experts {ByteSize.Format(decoding.ExpertBytes)}, "
            + $"other layers {ByteSize.Format(decoding.DenseBytes)}, head {ByteSize.Format(decoding.HeadBytes)}, a row of the embedding {ByteSize.Format(decoding.EmbeddingRowBytes)}");
        output.WriteLine(Text(
            $"this machine reads {ByteSize.Format((long)decoding.ReadBytesPerSecond)} per second, measured just now with {decoding.Threads} threads: at most {decoding.TokensPerSecond:0} tokens per second"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
