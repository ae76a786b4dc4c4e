using System.Diagnostics;
using System.Globalization;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>
/// kernels [--filter text]… [--size n]: the best time of every kernel on one thread, per stored weight and per sixteen
/// columns. The default size, 4096 × 4096, comes from memory; 1024 fits a cache.
/// </summary>
public static class KernelCostsCommand
{
    private const double Seconds = 0.25;

    private static readonly (KernelKind Kind, int[] Tokens)[] Kernels =
    [
        (KernelKind.Expand, [1, 2, 4, 6, 8]),
        (KernelKind.Index, [1, 4, 8, 16, 32, 64]),
        (KernelKind.KeptIndex, [1, 4, 8, 16, 32, 64]),
        (KernelKind.Dense, [1, 8, 64]),
    ];

    /// <summary>Measures and prints.</summary>
    public static int Run(string[] args)
    {
        string[] filters = [.. TargetsCommand.Values(args, "--filter")];
        int size = TargetsCommand.Integer(args, "--size", 4096);
        using var noGrad = no_grad();
        random.manual_seed(1);
        foreach (ScalarType dtype in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            foreach (double sparsity in new[] { 0.5, 0.75, 0.9 })
            {
                PackedWeight? packed = null;
                foreach ((KernelKind kind, int[] counts) in Kernels)
                {
                    foreach (int tokens in counts)
                    {
                        string name = string.Create(
                            CultureInfo.InvariantCulture, $"{dtype} {kind} {tokens}t {sparsity * 100:0}%");
                        if (filters.All(f => name.Contains(f, StringComparison.OrdinalIgnoreCase)))
                        {
                            packed ??= Workload.Pack(size, size, sparsity, dtype);
                            Print(name, packed, kind, tokens, dtype);
                        }
                    }
                }

                packed?.Dispose();
            }
        }

        return 0;
    }

    private static void Print(string name, PackedWeight packed, KernelKind kind, int tokens, ScalarType dtype)
    {
        using Tensor single = randn(tokens, packed.Columns);
        using Tensor input = single.to(dtype);
        double best = double.MaxValue;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds;)
        {
            long before = Stopwatch.GetTimestamp();
            PackedProduct.Multiply(packed, input, null, new ExecutionOptions(kind, Threads: 1)).Dispose();
            best = Math.Min(best, Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-28} {best / 1e6,8:0.000} ms {best / packed.NonZeroCount,8:0.000} ns/weight {best / ((double)packed.Rows * packed.Columns / 16),8:0.000} ns/16 columns"));
    }
}
