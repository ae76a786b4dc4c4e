using SparseExpansion.Execution.Tiling;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class TensorMatrixTests
{
    [Fact]
    public void Of_MatricesAndVectors_KnowsTheirRows()
    {
        using var scope = NewDisposeScope();
        Tensor matrix = TensorArithmetic.Range(12).to(ScalarType.Float32).reshape(3, 4);
        Assert.Equal([4, 0], new[] { MatrixView.Of(matrix).RowStride, MatrixView.Of(matrix.select(0, 1)).RowStride });
        Assert.Equal(4, MatrixView.Of(matrix.narrow(1, 1, 2)).RowStride);
        Assert.Equal(5f, First(MatrixView.Of(matrix.narrow(1, 1, 2)), 1));
        // One column need not lie side by side with anything.
        Assert.Equal(8f, First(MatrixView.Of(matrix.narrow(1, 0, 1)), 2));
        Assert.Equal(2, MatrixView.Of(matrix.to(ScalarType.BFloat16)).ElementSize);
        Assert.Equal(4, MatrixView.Of(matrix).ElementSize);
    }

    [Fact]
    public void Of_NothingOrTheWrongShape_IsNoneOrRefused()
    {
        using var scope = NewDisposeScope();
        Assert.True(MatrixView.Of(zeros(0, 4)).IsNone);
        Assert.True(MatrixView.None.IsNone);
        Assert.False(MatrixView.Of(zeros(1)).IsNone);
        Assert.Throws<ArgumentException>(() => MatrixView.Of(zeros(2, 2, 2)));
        Assert.Throws<ArgumentException>(() => MatrixView.Of(zeros(1).squeeze()));
        Assert.Throws<ArgumentException>(() => MatrixView.Of(zeros(4, 6).slice(1, 0, 6, 2)));
        Assert.Throws<ArgumentException>(() => MatrixView.Of(zeros(6).slice(0, 0, 6, 2)));
    }

    private static unsafe float First(MatrixView view, long row) => *(float*)view.Row(row);
}
