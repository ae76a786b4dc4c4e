using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

public sealed class DenseWorkTests
{
    [Fact]
    public void Scratch_AfterMemoryRanOut_IsMadeAnew()
    {
        Tensor? kept = null;
        Tensor small = DenseWork.Scratch(ref kept, 10, ScalarType.Float32);
        Assert.Same(small, DenseWork.Scratch(ref kept, 5, ScalarType.Float32));

        Assert.Throws<ExternalException>(() => DenseWork.Scratch(ref kept, 1L << 60, ScalarType.Float32));

        Assert.Null(kept);
        using Tensor again = DenseWork.Scratch(ref kept, 10, ScalarType.Float32);
        Assert.Same(again, kept);
        Assert.Equal(10, again.numel());
    }
}
