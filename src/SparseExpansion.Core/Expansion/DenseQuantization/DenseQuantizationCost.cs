using SparseExpansion.Expansion.Memory;

namespace SparseExpansion.Expansion.DenseQuantization;

/// <summary>Memory and work of rounding what stays dense.</summary>
internal static class DenseQuantizationCost
{
    /// <summary>Rows that are rounded at a time, in copies, beside Hessians and the rounded weight itself.</summary>
    public static StepCost Of(WorkSize size, DenseQuantizationOptions options)
    {
        (long Rows, long Columns)[] shapes = [.. DenseWeight.Find(size.Request, size.Blocks, options)
            .Select(weight => (weight.Weight.shape[0], weight.Weight.shape[1]))];
        long bytes = shapes.Select(shape => sizeof(float)
            * ((6 * shape.Columns * shape.Columns) + (3 * shape.Rows * shape.Columns)
                + (4 * Math.Min(shape.Rows, Pruning.Quantization.RowsAtOnce.Count) * shape.Columns)))
            .DefaultIfEmpty(0).Max();
        double operations = shapes.Sum(shape => Pruning.SolverSize.Work(shape.Rows, shape.Columns)
            + (2.0 * size.Tokens * shape.Columns * (shape.Columns + shape.Rows)));
        return new StepCost { Block = new BlockCost("dense quantization", bytes + size.ForwardBytes, operations) };
    }
}
