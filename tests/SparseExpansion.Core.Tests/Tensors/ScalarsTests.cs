using System.Diagnostics;
using SparseExpansion.Testing;
using SparseExpansion.Testing.NativeLifetime;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Tensors;

public sealed class ScalarsTests
{
    [Fact]
    public void Of_WhileGarbageIsCollected_NumbersArriveAsTheyAre()
    {
        using var noGrad = no_grad();
        using Tensor a = ones(64), one = ones(64), two = full(64, Scalars.Of(2.0));
        using var pressure = new GarbagePressure();
        var clock = Stopwatch.StartNew();
        for (long call = 0; clock.Elapsed < GarbagePressure.Duration; call++)
        {
            double factor = -0.5 / (1 - Math.Pow(0.9, 1 + (call % 50)));
            a.fill_(Scalars.Of(1));
            a.addcdiv_(one, two, Scalars.Of(factor));
            Assert.Equal(1 + (0.5 * factor), a.data<float>()[0], 1e-5 * Math.Abs(factor) + 1e-6);
        }

        Assert.True(pressure.Count > 100, $"Only {pressure.Count} collections.");
    }

    [Fact]
    public void Of_EachNumber_KeepsItsTypeAndValue()
    {
        Assert.Equal((ScalarType.Int64, 3L), (Scalars.Of(3).Type, Scalars.Of(3).ToInt64()));
        Assert.Equal((ScalarType.Int64, long.MaxValue), (Scalars.Of(long.MaxValue).Type, Scalars.Of(long.MaxValue).ToInt64()));
        Assert.Equal((ScalarType.Float64, 0.1), (Scalars.Of(0.1).Type, Scalars.Of(0.1).ToDouble()));
        Assert.Equal((ScalarType.Float64, (double)0.1f), (Scalars.Of(0.1f).Type, Scalars.Of(0.1f).ToDouble()));
        Assert.True(Scalars.Of(true).ToBoolean());
    }

    [Fact]
    public void Of_NothingElseRefersToIt_LivesUntilManyMoreWereMade()
    {
        WeakReference[] made = [.. Enumerable.Range(0, 64).Select(Make)];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.All(made, scalar => Assert.True(scalar.IsAlive));

        foreach (int i in Enumerable.Range(0, 64))
        {
            Make(i);
        }

        GC.Collect();
        Assert.All(made, scalar => Assert.False(scalar.IsAlive));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Make(int value) => new(Scalars.Of(value));
    }

    [Fact]
    public void Arithmetic_AnyDtype_IsThatOfTorchSharp()
    {
        foreach (ScalarType dtype in new[] { ScalarType.Int64, ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float64 })
        {
            using var scope = NewDisposeScope();
            Tensor x = tensor([-2.0, 0, 1, 7]).to(dtype), y = tensor([1.0, 2, 3, 4]).to(dtype);
            AssertSame(sub(x, -y), x.Plus(y));
            AssertSame(x.mul(x), x.Squared());
            AssertSame(sub(x, y.neg()), x.clone().PlusInPlace(y));
            AssertSame(sub(x, full_like(x, Scalars.Of(-3))), x.Plus(3));
            AssertSame(x.to(ScalarType.Float64).sub(Scalars.Of(-0.5)), x.to(ScalarType.Float64).Plus(0.5));
            AssertSame(tensor([0.0, 1, 2, 3, 4]).to(dtype), TensorArithmetic.Range(5, dtype));
        }

        using Tensor integers = TensorArithmetic.Range(3), halves = integers.Plus(0.5);
        Assert.Equal(ScalarType.Float32, halves.dtype);
        Assert.Equal(ScalarType.Int64, integers.dtype);
    }

    [Fact]
    public void Arithmetic_BadInput_Throws()
    {
        Assert.Throws<ArgumentNullException>(() => TensorArithmetic.Plus(null!, 1));
        Assert.Throws<ArgumentNullException>(() => TensorArithmetic.PlusInPlace(null!, 1));
        Assert.Throws<ArgumentNullException>(() => TensorArithmetic.Squared(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => TensorArithmetic.Range(-1));
    }

    [Fact]
    public void Arithmetic_LeavesNoTensors()
    {
        using Tensor x = ones(3);
        LeakCheck.NoTensorsLeft(() =>
        {
            using Tensor sum = x.Plus(x), more = sum.Plus(1), less = more.Plus(0.5), square = less.Squared(), range = TensorArithmetic.Range(3);
            x.PlusInPlace(sum).PlusInPlace(1).PlusInPlace(0.5);
        });
    }

    private static void AssertSame(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.True(expected.equal(actual).all().item<bool>());
    }
}
