using SparseExpansion.Execution;
using SparseExpansion.Testing.NativeLifetime;

namespace SparseExpansion.Tensors;

public sealed class RawPointerTests
{
    /// <summary>Owners of the tensors, which stay alive through their own users, and methods that return the tensor.</summary>
    private static readonly string[] s_owners =
    [
        "SparseExpansion.Analysis.Distances.HostRows..ctor",
        "SparseExpansion.Execution.KernelCalibration..ctor",
        "SparseExpansion.Execution.MatrixView.Of",
        "SparseExpansion.Execution.PackedWeight..ctor",
        "SparseExpansion.Execution.PackedWeightBuilder.Allocate",
        "SparseExpansion.Internal.Vectors.RawMemory.Pointer",
    ];

    [Fact]
    public void Kernels_KeepTensorsAliveWhileTheyUseTheirMemory() =>
        Assert.Equal(s_owners, RawPointers.Unguarded(typeof(PackedWeight).Assembly.Location));
}
