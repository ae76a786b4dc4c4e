using SparseExpansion.Execution;
using SparseExpansion.Execution.Kernels;
using SparseExpansion.Execution.Kernels.Dense;

namespace SparseExpansion.Inference.Loading;

/// <summary>Conversions of stored numbers to float32.</summary>
internal static unsafe class FloatNumbers
{
    /// <summary>A copy in float32.</summary>
    public static NativeArray Copy(NativeArray source)
    {
        NativeArray copy = NativeArray.Allocate(source.Length, ElementType.Float32);
        var target = (float*)copy.Address;
        switch (source.Type)
        {
            case ElementType.Float32:
                Buffer.MemoryCopy(source.Pointer, target, copy.ByteLength, source.ByteLength);
                break;
            case ElementType.BFloat16:
                DenseKernels<BFloat16Format>.Widen(InstructionSets.Best, source.Pointer, target, (nint)source.Length);
                break;
            case ElementType.Float16:
                DenseKernels<Float16Format>.Widen(InstructionSets.Best, source.Pointer, target, (nint)source.Length);
                break;
            case ElementType.Float64:
                for (long i = 0; i < source.Length; i++)
                {
                    target[i] = (float)((double*)source.Pointer)[i];
                }

                break;
            default:
                throw new ArgumentException($"Elements of {source.Type} are no weights.", nameof(source));
        }

        return copy;
    }

    /// <summary>A matrix with rows and columns exchanged, in memory of its own.</summary>
    /// <param name="source">[rows · columns].</param>
    /// <param name="rows">Rows of the source.</param>
    /// <param name="columns">Columns of the source.</param>
    public static NativeArray Transpose(NativeArray source, int rows, int columns)
    {
        NativeArray turned = NativeArray.Allocate(source.Length, source.Type);
        switch (ElementTypes.SizeOf(source.Type))
        {
            case sizeof(ushort):
                Transpose((ushort*)source.Pointer, (ushort*)turned.Pointer, rows, columns);
                break;
            case sizeof(float):
                Transpose((float*)source.Pointer, (float*)turned.Pointer, rows, columns);
                break;
            default:
                Transpose((double*)source.Pointer, (double*)turned.Pointer, rows, columns);
                break;
        }

        return turned;
    }

    private static void Transpose<T>(T* source, T* target, int rows, int columns)
        where T : unmanaged
    {
        // In squares, so that the lines of both sides stay in the cache.
        const int Side = 16;
        for (int top = 0; top < rows; top += Side)
        {
            for (int left = 0; left < columns; left += Side)
            {
                for (int row = top; row < Math.Min(rows, top + Side); row++)
                {
                    for (int column = left; column < Math.Min(columns, left + Side); column++)
                    {
                        target[((nint)column * rows) + row] = source[((nint)row * columns) + column];
                    }
                }
            }
        }
    }
}
