using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Transformers;
using TorchSharp;

namespace SparseExpansion.Benchmarks.Accuracy;

/// <summary>
/// accuracy --model DIR --tokens FILE [--filter text]… [--row text]… [--results FILE] [--steps n] [--learning-rate x]
/// [--target t] [--seed n]: perplexities of a checkpoint's feed-forward layers expanded in every way and at every
/// sparsity, as a Markdown table. FILE contains the tensors 'calibration' and 'evaluation', int64 [windows, context]. A
/// cell is measured if its name, such as "best, 16 experts @ 50 %", contains all filters and its row one of the rows;
/// cells that the results file has are not measured again.
/// </summary>
public static class AccuracyCommand
{
    private const int BatchWindows = 8;

    private static readonly (string Name, SparsityTarget Target)[] s_columns =
    [
        ("50 %", SparsityTarget.Unstructured(0.5)),
        ("60 %", SparsityTarget.Unstructured(0.6)),
        ("70 %", SparsityTarget.Unstructured(0.7)),
        ("80 %", SparsityTarget.Unstructured(0.8)),
        ("2:4", SparsityTarget.NM(2, 4)),
    ];

    /// <summary>Measures and prints.</summary>
    public static int Run(string[] args)
    {
        string? Value(string name) => TargetsCommand.Values(args, name).FirstOrDefault();
        if (Value("--model") is not { } folder || Value("--tokens") is not { } tokens)
        {
            Console.Error.WriteLine("accuracy needs --model DIR and --tokens FILE.");
            return 1;
        }

        string[] filters = [.. TargetsCommand.Values(args, "--filter")];
        string[] rows = [.. TargetsCommand.Values(args, "--row")];
        long seed = long.Parse(Value("--seed") ?? "0", CultureInfo.InvariantCulture);
        var cells = new AccuracyCells(Value("--results"));
        using CausalLanguageModel model = PretrainedModel.Load(folder);
        TokenWindows evaluation = TokenWindows.FromSafetensors(tokens, "evaluation");
        torch.Tensor[] calibration = [.. TokenWindows.FromSafetensors(tokens, "calibration").Batches(BatchWindows)];
        foreach (AccuracyRow row in AccuracyRows.All.Select(row => row.WithFineTuning(Value("--steps"), Value("--learning-rate"), Value("--target"))).Where(row => rows.Length == 0 || rows.Any(row.Name.Contains)))
        {
            foreach ((string column, SparsityTarget target) in s_columns.Where(column => row.Fits(column.Target)))
            {
                if (cells[row.Name, column] is null && filters.All($"{row.Name} @ {column}".Contains))
                {
                    cells.Add(row.Name, column, Measure(model, row, target, seed, calibration, evaluation));
                }
            }
        }

        Print(cells, Perplexity.Evaluate(model, evaluation).Perplexity);
        Array.ForEach(calibration, batch => batch.Dispose());
        return 0;
    }

    private static double Measure(
        CausalLanguageModel model, AccuracyRow row, SparsityTarget target, long seed, torch.Tensor[] calibration,
        TokenWindows evaluation)
    {
        long started = Stopwatch.GetTimestamp();
        ExpansionBuilder<CausalLanguageModel> builder = model.Expand()
            .Blocks(m => m.Blocks).Targets("*.mlp.*").CalibrateOn(calibration).WithSeed(seed);
        using ExpansionResult result = row.Apply(builder, target).Run();
        double expanding = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double perplexity = Perplexity.Evaluate(model, evaluation).Perplexity;
        string tuning = string.Concat(result.Report.FineTuning.Select(block => FormattableString.Invariant(
            $", block {block.Block}: {block.LossBefore:G3} to {block.LossAfter:G3} by step {block.KeptStep} of {block.Steps}")));
        Console.Error.WriteLine(
            FormattableString.Invariant($"{row.Name} @ {target}: {perplexity:F3} ({expanding:F0} s{tuning})"));
        result.Revert();
        return perplexity;
    }

    private static void Print(AccuracyCells cells, double dense)
    {
        Console.WriteLine($"| | {string.Join(" | ", s_columns.Select(column => column.Name))} |");
        Console.WriteLine($"|---|{string.Concat(s_columns.Select(_ => "---|"))}");
        Console.WriteLine($"| dense | {string.Join(" | ", s_columns.Select(_ => Text(dense)))} |");
        foreach (AccuracyRow row in AccuracyRows.All.Where(row => s_columns.Any(column => cells[row.Name, column.Name] is not null)))
        {
            Console.WriteLine($"| {row.Name} | {string.Join(" | ", s_columns.Select(column => Text(cells[row.Name, column.Name])))} |");
        }
    }

    private static string Text(double? perplexity) =>
        perplexity?.ToString(perplexity >= 100 ? "F1" : "F2", CultureInfo.InvariantCulture) ?? "";
}
