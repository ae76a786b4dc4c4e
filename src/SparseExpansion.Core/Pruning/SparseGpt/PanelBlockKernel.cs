using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.SparseGpt;

/// <summary>
/// The column loop of SparseGPT in host memory. Given U, rows do not depend on each other: threads take panels of rows,
/// and <see cref="RowTile"/> works on 16 of them at a time, one vector a column, in the first-level cache.
/// </summary>
internal static unsafe class PanelBlockKernel
{
    /// <summary>
    /// Prunes the columns of a block in place, spreading each column's error over the later ones of the block.
    /// </summary>
    /// <returns>The errors (w − q) / U_jj, [k, rows, width], 0 for weights that stay as they are.</returns>
    public static Tensor Prune(ColumnBlock block)
    {
        using var scope = NewDisposeScope();
        long experts = block.Weights.shape[0], rows = block.Weights.shape[1], columns = block.Weights.shape[2];
        int width = block.Width;
        Tensor errors = empty(experts, rows, width, ScalarType.Float32);
        if (experts * rows == 0)
        {
            return errors.MoveToOuterDisposeScope();
        }

        Tensor factors = block.Factors.contiguous();
        Tensor? mask = block.Mask?.contiguous();
        byte* marks = mask is null ? null : RawMemory.Pointer<byte>(mask);
        float* weightStart = RawMemory.Pointer<float>(block.Weights) + block.Start;
        float* factorStart = RawMemory.Pointer<float>(factors);
        float* errorStart = RawMemory.Pointer<float>(errors);
        BlockGrid? grid = block.Grid;
        long groups = grid?.Scales.shape[2] ?? 0, firstGroup = grid?.GroupOf(block.Start) ?? 0;
        float* scaleStart = grid is null ? null : RawMemory.Pointer<float>(grid.Scales) + firstGroup;
        float* zeroStart = grid is null ? null : RawMemory.Pointer<float>(grid.Zeros) + firstGroup;
        long tiles = (rows + RowTile.Rows - 1) / RowTile.Rows;
        RowParallel.For(experts * tiles, (long)width * width * RowTile.Rows / 2, (from, to) =>
        {
            using TileGrid? tileGrid = grid is null ? null : new TileGrid(grid.Quantization, width);
            using var tile = new RowTile(width, block.Groups, tileGrid);
            for (long i = from; i < to; i++)
            {
                long expert = i / tiles, row = i % tiles * RowTile.Rows;
                int height = (int)Math.Min(RowTile.Rows, rows - row);
                long first = (expert * rows) + row;
                tile.Load(
                    weightStart + (first * columns), columns, marks is null ? null : marks + (first * width), height);
                tileGrid?.Load(scaleStart + (first * groups), zeroStart + (first * groups), groups, height);
                tile.Prune(factorStart + (expert * width * width));
                tile.Store(weightStart + (first * columns), columns, errorStart + (first * width), height);
                tileGrid?.Store(scaleStart + (first * groups), zeroStart + (first * groups), groups, height);
            }
        });
        GC.KeepAlive(block);
        return errors.MoveToOuterDisposeScope();
    }
}
