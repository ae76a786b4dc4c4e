using SparseExpansion.Execution;
using SparseExpansion.Layers;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Targets;

/// <summary>The cells of the table, each prepared only when it is measured.</summary>
public static class TargetTable
{
    private static readonly (int Rows, int Columns)[] Shapes = [(4096, 4096), (4096, 11008)];
    private static readonly double[] Sparsities = [0.5, 0.75, 0.9];

    private static readonly (ScalarType DType, int Tokens, double[] Targets)[] Kernels =
    [
        (ScalarType.Float32, 1, [3, 5, 10]),
        (ScalarType.Float32, 8, [2, 4, 8]),
        (ScalarType.Float32, 64, [2, 4, 8]),
        (ScalarType.Float32, 512, [2, 3.5, 6]),
        (ScalarType.BFloat16, 1, [1.6, 2.5, 5]),
        (ScalarType.BFloat16, 8, [0.95, 0.95, 1]),
        (ScalarType.BFloat16, 64, [0.95, 0.95, 1]),
        (ScalarType.BFloat16, 512, [0.95, 0.95, 1]),
    ];

    private static readonly (int Tokens, double[] Targets)[] Layers =
        [(1, [2.7, 4.5, 8]), (64, [1.3, 2.5, 5]), (512, [1.7, 3, 5])];

    /// <summary>Measures every cell whose name contains the filter.</summary>
    public static IEnumerable<TargetRow> Measure(Func<string, bool> wanted, InterleavedTimer timer)
    {
        foreach ((int rows, int columns) in Shapes)
        {
            for (int s = 0; s < Sparsities.Length; s++)
            {
                foreach (TargetRow row in MeasureKernels(rows, columns, s, wanted, timer).Concat(MeasureLayers(rows, columns, s, wanted, timer)))
                {
                    yield return row;
                }
            }
        }
    }

    private static IEnumerable<TargetRow> MeasureKernels(
        int rows, int columns, int s, Func<string, bool> wanted, InterleavedTimer timer)
    {
        foreach (var group in Kernels.GroupBy(k => k.DType))
        {
            var cells = group
                .Select(k => (k.Tokens, Target: k.Targets[s], Name: Name("kernel", group.Key, rows, columns, k.Tokens, s)))
                .Where(c => wanted(c.Name)).ToList();
            if (cells.Count == 0)
            {
                continue;
            }

            using PackedWeight packed = Workload.Pack(rows, columns, Sparsities[s], group.Key);
            using Tensor dense = packed.Unpack();
            foreach (var cell in cells)
            {
                using Tensor single = randn(cell.Tokens, columns);
                using Tensor tokens = single.to(group.Key);
                yield return timer.Measure(
                    new TargetCase(
                        cell.Name, cell.Target, () => Workload.DenseLinear(tokens, dense),
                        () => packed.Multiply(tokens).Dispose()));
            }
        }
    }

    private static IEnumerable<TargetRow> MeasureLayers(
        int rows, int columns, int s, Func<string, bool> wanted, InterleavedTimer timer)
    {
        var cells = Layers
            .Select(l => (l.Tokens, Target: l.Targets[s], Name: Name("layer", ScalarType.Float32, rows, columns, l.Tokens, s)))
            .Where(c => wanted(c.Name)).ToList();
        if (cells.Count == 0)
        {
            yield break;
        }

        using SparseMixtureLayer layer = Workload.Mixture(
            Workload.Pack(rows, columns, Sparsities[s], ScalarType.Float32), 16);
        using Tensor dense = layer.GetExpertWeight(0);
        foreach (var cell in cells)
        {
            using Tensor tokens = randn(cell.Tokens, columns);
            yield return timer.Measure(
                new TargetCase(
                    cell.Name, cell.Target, () => Workload.DenseLinear(tokens, dense),
                    () => layer.call(tokens).Dispose()));
        }
    }

    private static string Name(string what, ScalarType dtype, int rows, int columns, int tokens, int s)
    {
        string type = dtype == ScalarType.Float32 ? "fp32" : "bf16";
        return $"{what} {type} {rows}x{columns} {tokens}t {Sparsities[s] * 100:0}%";
    }
}
