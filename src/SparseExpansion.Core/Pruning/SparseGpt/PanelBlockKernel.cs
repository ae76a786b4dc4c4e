using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning;

/// <summary>
/// The column loop of SparseGPT in host memory. Given U and the mask, rows do not depend on each other, so threads take
/// panels of rows; a row's block stays in the first-level cache, and kept weights cost nothing.
/// </summary>
internal static unsafe class PanelBlockKernel
{
    private const int Lanes = 16;

    /// <summary>Prunes the columns of a block in place, spreading each column's error over the later ones of the block.</summary>
    /// <returns>The errors (w − q) / U_jj, [k, rows, width], 0 for kept weights.</returns>
    public static Tensor Prune(ColumnBlock block)
    {
        using var scope = NewDisposeScope();
        long experts = block.Weights.shape[0], rows = block.Weights.shape[1], columns = block.Weights.shape[2];
        int width = block.Width, padded = (width + Lanes - 1) / Lanes * Lanes;
        Tensor errors = empty(experts, rows, width, ScalarType.Float32);
        if (experts * rows == 0)
        {
            return errors.MoveToOuterDisposeScope();
        }

        Tensor factors = zeros(experts, width, padded, ScalarType.Float32);
        factors.narrow(2, 0, width).copy_(block.Factors.triu());
        Tensor? mask = block.Mask?.contiguous();
        byte* marks = mask is null ? null : RawMemory.Pointer<byte>(mask);
        float* weightStart = RawMemory.Pointer<float>(block.Weights) + block.Start;
        float* factorStart = RawMemory.Pointer<float>(factors);
        float* errorStart = RawMemory.Pointer<float>(errors);
        var shape = new RowShape(width, padded, block.Groups?.GroupSize ?? 0, block.Groups?.Keep ?? 0);
        RowParallel.For(experts * rows, (long)width * width / 2, (from, to) =>
        {
            float* row = stackalloc float[shape.Padded];
            byte* rowMarks = stackalloc byte[shape.Width];
            for (long i = from; i < to; i++)
            {
                float* source = weightStart + (i * columns);
                new Span<float>(source, shape.Width).CopyTo(new Span<float>(row, shape.Width));
                new Span<float>(row + shape.Width, shape.Padded - shape.Width).Clear();
                byte* selected = marks is null ? rowMarks : marks + (i * shape.Width);
                PruneRow(row, factorStart + (i / rows * shape.Width * shape.Padded), selected, errorStart + (i * shape.Width), shape);
                new Span<float>(row, shape.Width).CopyTo(new Span<float>(source, shape.Width));
            }
        });
        return errors.MoveToOuterDisposeScope();
    }

    private static void PruneRow(float* row, float* factors, byte* marks, float* errors, RowShape shape)
    {
        for (int j = 0; j < shape.Width; j++)
        {
            if (shape.GroupSize > 0 && j % shape.GroupSize == 0)
            {
                SelectGroup(row, factors, marks, j, shape);
            }

            float error = 0;
            if (marks[j] != 0)
            {
                float* factor = factors + ((long)j * shape.Padded);
                error = row[j] / factor[j];
                SpreadError(row, factor, error, j, shape.Padded);
                row[j] = 0;
            }

            errors[j] = error;
        }
    }

    /// <summary>w_j: −= error · U_j,j: from the vector that holds column j on; U is zero left of its diagonal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SpreadError(float* row, float* factor, float error, int column, int padded)
    {
        Vector512<float> negative = Vector512.Create(-error);
        for (int i = column & ~(Lanes - 1); i < padded; i += Lanes)
        {
            Vector512.MultiplyAddEstimate(negative, Vector512.Load(factor + i), Vector512.Load(row + i)).Store(row + i);
        }
    }

    private static void SelectGroup(float* row, float* factors, byte* marks, int start, RowShape shape)
    {
        float* scores = stackalloc float[shape.GroupSize];
        for (int i = 0; i < shape.GroupSize; i++)
        {
            scores[i] = MathF.Abs(row[start + i]) / factors[((long)(start + i) * shape.Padded) + start + i];
        }

        SmallGroup.Mark(scores, marks + start, shape.GroupSize, shape.GroupSize - shape.Keep);
    }

    /// <param name="Width">Columns of the block.</param>
    /// <param name="Padded">The same, rounded up to whole vectors.</param>
    /// <param name="GroupSize">M of N:M; 0 where the mask is given.</param>
    /// <param name="Keep">N of N:M.</param>
    private readonly record struct RowShape(int Width, int Padded, int GroupSize, int Keep);
}
