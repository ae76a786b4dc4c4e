using SparseExpansion.Internal.Vectors;
using static TorchSharp.torch;

namespace SparseExpansion.Analysis.Distances;

/// <summary>A float32 matrix in host memory, seen row by row from managed code. Valid while the tensor lives.</summary>
internal sealed unsafe class HostRows
{
    private readonly float* _start;

    /// <param name="matrix">[rows, width], float32, any device; copied to the host if it is not there. Temporaries
    /// belong to the caller's dispose scope.</param>
    public HostRows(Tensor matrix)
    {
        Tensor local = matrix.cpu().contiguous();
        (Count, Width) = (local.shape[0], checked((int)local.shape[1]));
        _start = Count == 0 || Width == 0 ? null : RawMemory.Pointer<float>(local);
    }

    public long Count { get; }

    public int Width { get; }

    public ReadOnlySpan<float> this[long row] => new(_start + (row * Width), Width);

    /// <summary>
    /// The matrix with every row sorted, ascending, on its device. It belongs to the caller's dispose scope.
    /// </summary>
    public static Tensor Sort(Tensor matrix)
    {
        (Tensor values, Tensor indices) = matrix.sort(dim: 1, descending: false, stable: false);
        indices.Dispose();
        return values;
    }
}
