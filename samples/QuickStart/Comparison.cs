using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Transformers;

namespace QuickStart;

/// <summary>The perplexity of every method at every sparsity.</summary>
internal static class Comparison
{
    private static readonly SparsityTarget[] s_targets = [SparsityTarget.Unstructured(0.5), SparsityTarget.Unstructured(0.7), SparsityTarget.NM(2, 4)];

    /// <summary>Prints a table, cell by cell as they are measured.</summary>
    public static void Print(SampleModel sample)
    {
        Console.WriteLine($"{"Perplexity on held-out text",-30}{"50 %",10}{"70 %",10}{"2:4",10}");
        PrintRow("dense", _ => Measure(sample));
        foreach (Method method in Method.All)
        {
            PrintRow(method.Name, target => MeasureExpanded(sample, method, target));
        }
    }

    private static void PrintRow(string name, Func<SparsityTarget, double> measure)
    {
        Console.Write($"  {name,-28}");
        foreach (SparsityTarget target in s_targets)
        {
            Console.Write($"{measure(target),10:F3}");
        }

        Console.WriteLine();
    }

    private static double MeasureExpanded(SampleModel sample, Method method, SparsityTarget target)
    {
        using ExpansionResult result = method.Expand(sample, target);
        double perplexity = Measure(sample);
        result.Revert();
        return perplexity;
    }

    private static double Measure(SampleModel sample) => Perplexity.Evaluate(sample.Model, sample.Evaluation).Perplexity;
}
