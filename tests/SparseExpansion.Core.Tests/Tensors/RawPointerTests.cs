using SparseExpansion.Layers;
using SparseExpansion.Testing.NativeLifetime;

namespace SparseExpansion.Tensors;

public sealed class RawPointerTests
{
    /// <summary>
    /// Owners of the tensors, which stay alive through their own users, and methods that return the tensor.
    /// </summary>
    private static readonly string[] s_owners =
    [
        "SparseExpansion.Analysis.Distances.HostRows..ctor",
        "SparseExpansion.Execution.TensorArrays.Create",
        "SparseExpansion.Execution.TensorArrays.Flat",
        "SparseExpansion.Internal.Torch.TensorMatrix.Of",
        "SparseExpansion.Internal.Vectors.RawMemory.Pointer",
    ];

    [Fact]
    public void Kernels_KeepTensorsAliveWhileTheyUseTheirMemory() =>
        Assert.Equal(s_owners, RawPointers.Unguarded(typeof(SparseMixtureLayer).Assembly.Location));
}
