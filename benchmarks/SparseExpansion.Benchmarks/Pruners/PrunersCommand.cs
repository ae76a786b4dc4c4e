using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;

namespace SparseExpansion.Benchmarks.Pruners;

/// <summary>
/// pruners [--rows 1024] [--columns 1024] [--seconds 5]: other pruners against SparseGPT, interleaved, one layer at 50
/// %, as users call them.
/// </summary>
internal static class PrunersCommand
{
    public static int Run(string[] args)
    {
        int rows = TargetsCommand.Integer(args, "--rows", 1024), columns = TargetsCommand.Integer(args, "--columns", 1024);
        var timer = new InterleavedTimer(TargetsCommand.Integer(args, "--seconds", 5), cpuTime: false);
        SparsityTarget half = SparsityTarget.Unstructured(0.5);
        using var layer = new PrunerWorkload(rows, columns);
        Console.WriteLine(Machine.Describe());
        Console.WriteLine(FormattableString.Invariant($"one layer [{rows}, {columns}] at 50 %"));
        var sparseGpt = new SparseGptSparsifier();
        (string Name, string Limit, Action Prune)[] others =
        [
            ("ALPS", ", at most 4 wanted", () => new AlpsSparsifier().Prune(layer.Weight, layer.Hessian, half).Dispose()),
            ("SparseGPT as tensor calls", "", () => SparseGptTensorLoop.Prune(layer.Weight, layer.Hessian.Hessian, 0.5).Dispose()),
            ("Wanda", "", () => new WandaSparsifier().Prune(layer.Weight, layer.Norms, half).Dispose()),
        ];
        foreach ((string name, string limit, Action prune) in others)
        {
            (double baseline, double other) = timer.Medians(
                () => sparseGpt.Prune(layer.Weight, layer.Hessian, half).Dispose(), prune);
            Console.WriteLine(FormattableString.Invariant($"{name,-26} {other,8:F1} ms  SparseGPT {baseline,6:F1} ms  {other / baseline,6:F2} times{limit}"));
        }

        return 0;
    }
}
