using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Transformers;

namespace QuickStart;

/// <summary>Gain and cost of every method at every sparsity.</summary>
internal static class Comparison
{
    private static readonly SparsityTarget[] s_targets =
        [SparsityTarget.Unstructured(0.5), SparsityTarget.Unstructured(0.7), SparsityTarget.NM(2, 4)];

    /// <summary>Prints a table, cell by cell as it is measured.</summary>
    public static void Print(SampleModel sample)
    {
        Console.WriteLine(
            $"{"Perplexity on held-out text",-30}{"50 %",9}{"70 %",9}{"2:4",9}{"memory",11}{"made in",10}");
        PrintRow("dense", _ => new Cell(Perplexity.Evaluate(sample.Model, sample.Evaluation).Perplexity, 1, 0));
        foreach (Method method in Method.All)
        {
            PrintRow(method.Name, target => Measure(sample, method, target));
        }

        Console.WriteLine("  Memory is that of the feed-forward weights at 50 %, of which each token uses one expert's; \"made in\" is at 50 %, too.");
    }

    private static void PrintRow(string name, Func<SparsityTarget, Cell> measure)
    {
        Console.Write($"  {name,-28}");
        var cells = new List<Cell>();
        foreach (SparsityTarget target in s_targets)
        {
            cells.Add(measure(target));
            Console.Write($"{cells[^1].Perplexity,9:F3}");
        }

        Console.WriteLine($"{cells[0].Memory,10:F2}x{(cells[0].Seconds > 0 ? $"{cells[0].Seconds,8:F1} s" : "")}");
    }

    private static Cell Measure(SampleModel sample, Method method, SparsityTarget target)
    {
        using ExpansionResult result = method.Expand(sample, target);
        IReadOnlyList<LayerReport> layers = result.Report.Layers;
        double memory = (double)layers.Sum(layer => layer.ExpertBytes) / layers.Sum(layer => layer.DenseBytes);
        double perplexity = Perplexity.Evaluate(sample.Model, sample.Evaluation).Perplexity;
        result.Revert();
        return new Cell(perplexity, memory, result.Report.Seconds);
    }

    private sealed record Cell(double Perplexity, double Memory, double Seconds);
}
