using SparseExpansion.Quantization;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Quantization;

/// <summary>
/// Rounds the rows of a matrix, which know nothing of each other, a few thousand at a time: the head of a language
/// model has as many as its vocabulary, and solvers keep several copies.
/// </summary>
internal static class RowsAtOnce
{
    /// <summary>Rows that are rounded together.</summary>
    public const long Count = 8192;

    /// <param name="weight">[rows, columns].</param>
    /// <param name="round">Rounds some of the rows.</param>
    /// <returns>The rounded rows in the current dispose scope, and their grid.</returns>
    public static (Tensor Weight, QuantizationGrid Grid) Run(
        Tensor weight, Func<Tensor, (Tensor Weight, QuantizationGrid Grid)> round)
    {
        if (weight.shape[0] <= Count)
        {
            return round(weight);
        }

        using var scope = NewDisposeScope();
        var parts = new List<(Tensor Weight, QuantizationGrid Grid)>();
        try
        {
            for (long first = 0; first < weight.shape[0]; first += Count)
            {
                using var own = NewDisposeScope();
                (Tensor rounded, QuantizationGrid grid) = round(
                    weight.narrow(0, first, Math.Min(Count, weight.shape[0] - first)));
                parts.Add((rounded.MoveToOuterDisposeScope(), grid));
            }

            Tensor scales = cat([.. parts.Select(part => part.Grid.Scales)], 0),
                zeros = cat([.. parts.Select(part => part.Grid.Zeros)], 0);
            QuantizationGrid any = parts[0].Grid;
            return (
                cat([.. parts.Select(part => part.Weight)], 0).MoveToOuterDisposeScope(),
                new QuantizationGrid(
                    any.Quantization, any.Columns, scales.DetachFromDisposeScope(),
                    zeros.DetachFromDisposeScope()));
        }
        finally
        {
            parts.ForEach(part => part.Grid.Dispose());
        }
    }
}
