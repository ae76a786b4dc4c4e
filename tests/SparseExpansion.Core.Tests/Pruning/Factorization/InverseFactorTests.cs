using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Pruning.Factorization;

public sealed class InverseFactorTests
{
    [Theory]
    [InlineData(1, ScalarType.Float64)]
    [InlineData(63, ScalarType.Float64)]
    [InlineData(65, ScalarType.Float64)]
    [InlineData(200, ScalarType.Float32)]
    [InlineData(300, ScalarType.Float64)]
    public void Compute_PositiveDefinite_FactorsTheInverse(int size, ScalarType dtype) => LeakCheck.NoTensorsLeft(() =>
    {
        using var scope = NewDisposeScope();
        Tensor hessians = PositiveDefinite(size).to(dtype);
        (Tensor u, bool[] succeeded) = InverseFactor.Compute(hessians);
        Assert.Equal([true, true], succeeded);
        Tensor wide = u.to(ScalarType.Float64);
        Tensor product = wide.mT.matmul(wide).matmul(hessians.to(ScalarType.Float64));
        double tolerance = dtype == ScalarType.Float64 ? 1e-9 : 1e-2;
        Assert.True(product.allclose(eye(size, dtype: ScalarType.Float64).expand(2, size, size), tolerance, tolerance));
        Assert.Equal(0, u.tril(-1).count_nonzero().item<long>());
        Assert.True(u.diagonal(0, 1, 2).gt(Scalars.Of(0)).all().item<bool>());
    });

    [Fact]
    public void Compute_OneIndefinite_ReportsThatOne()
    {
        using var scope = NewDisposeScope();
        Tensor hessians = PositiveDefinite(150);
        hessians[1, 100, 100] = -1;
        Assert.Equal([true, false], InverseFactor.Compute(hessians).Succeeded);
    }

    [Fact]
    public void LeafOnDevice_SmallMatrices_AgreesWithHost()
    {
        using var scope = NewDisposeScope();
        Tensor hessians = PositiveDefinite(40);
        Tensor floors = zeros(2, 40, ScalarType.Float64), host = zeros_like(hessians), device = zeros_like(hessians);
        Tensor onHost = FactorLeaf.OnHost(hessians, floors, host), onDevice = FactorLeaf.OnDevice(hessians, floors, device);
        Assert.True(onHost.all().item<bool>() && onDevice.all().item<bool>());
        Assert.True(host.allclose(device, 1e-9, 1e-9));
        hessians[0, 3, 3] = -1;
        Assert.Equal([false, true], FactorLeaf.OnHost(hessians, floors, host).data<bool>().ToArray());
        Assert.Equal([false, true], FactorLeaf.OnDevice(hessians, floors, device).data<bool>().ToArray());
    }

    [Fact]
    public void Rungs_Default_ClimbToTheCapTwice()
    {
        DampingRung[] rungs = [.. DampingLadder.Rungs(new SparseGptOptions { MaxDamping = 0.5 }.DampingSchedule)];
        Assert.Equal([0.01, 0.1, 0.5, 0.01, 0.1, 0.5], rungs.Select(rung => rung.Damping));
        Assert.Equal(Enumerable.Range(0, 6), rungs.Select(rung => rung.Index));
        Assert.All(rungs[..3], rung => Assert.Equal(DampingMethod.SinglePrecision, rung.Method));
        Assert.All(rungs[3..], rung => Assert.Equal(DampingMethod.DoublePrecision, rung.Method));
    }

    private static Tensor PositiveDefinite(int size)
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(2, 4L * size, size, ScalarType.Float64);
        return x.mT.matmul(x).MoveToOuterDisposeScope();
    }
}
