using CsCheck;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Routing.Routers;

public sealed class LinearRouterTests
{
    [Fact]
    public void FoldPcaKMeans_RandomGeometry_RoutesToTheNearestCentroid() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 12], Gen.Int[1, 9], Gen.Double[-20, 20], Gen.Bool).Sample((features, width, experts, offset, project) =>
        {
            using var scope = NewDisposeScope();
            Tensor mean = randn(features, ScalarType.Float64).Plus(offset);
            Tensor? components = project ? Orthonormal(Math.Min(width, features), features) : null;
            Tensor centroids = randn([experts, components?.shape[0] ?? features], ScalarType.Float64);
            using var router = LinearRouter.FoldPcaKMeans(mean, components, centroids);
            Tensor tokens = randn([64, features], ScalarType.Float64).Plus(offset);
            Tensor centered = tokens - mean;
            Tensor distances = cdist(components is null ? centered : centered.matmul(components.t()), centroids).Squared();
            AssertNearest(distances, router.Route(tokens.to(ScalarType.Float32)));
        }, iter: 100);

    [Fact]
    public void Route_NoTokens_GivesNoExperts()
    {
        using var scope = NewDisposeScope();
        using LinearRouter router = Router();
        Assert.Equal([0], router.Route(empty(0, 3)).shape);
    }

    [Fact]
    public void Route_TokensOfOtherDtype_AreRoutedInFloat32()
    {
        using var scope = NewDisposeScope();
        using LinearRouter router = Router();
        Tensor tokens = randn(50, 3).to(ScalarType.BFloat16);
        Tensor routed = router.Route(tokens);
        Assert.Equal(ScalarType.Int64, routed.dtype);
        Assert.Equal(router.Route(tokens.to(ScalarType.Float32)).data<long>().ToArray(), routed.data<long>().ToArray());
        Assert.Equal(router.Route(tokens.to(ScalarType.Float64)).data<long>().ToArray(), routed.data<long>().ToArray());
        Assert.Equal(router.call(tokens).data<long>().ToArray(), routed.data<long>().ToArray());
    }

    [Fact]
    public void To_OtherDtype_KeepsTheRouterInFloat32()
    {
        using LinearRouter router = Router();
        using var parent = nn.Sequential(("router", router), ("linear", nn.Linear(3, 3)));
        parent.to(ScalarType.BFloat16);
        parent.to(CPU, ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, parent.state_dict()["linear.weight"].dtype);
        Assert.Equal(ScalarType.Float32, parent.state_dict()["router.weight"].dtype);
        Assert.Equal(ScalarType.Float32, parent.state_dict()["router.bias"].dtype);
    }

    [Fact]
    public void To_OtherDevice_MovesTheTensorsThatRoute()
    {
        using LinearRouter router = Router();
        router.to(META);
        Assert.All(router.GetState().Tensors.Values, tensor => Assert.Equal(DeviceType.META, tensor.device_type));
        Assert.All(router.buffers(), tensor => Assert.Equal(DeviceType.META, tensor.device_type));
    }

    [Fact]
    public void To_Cuda_MovesTheBuffers()
    {
        Assert.SkipUnless(cuda.is_available(), "No CUDA device.");
        using var scope = NewDisposeScope();
        using LinearRouter router = Router();
        Tensor tokens = randn(50, 3);
        long[] expected = router.Route(tokens).data<long>().ToArray();
        router.to(CUDA);
        Tensor routed = router.Route(tokens.to(CUDA));
        Assert.Equal(DeviceType.CUDA, routed.device_type);
        Assert.Equal(expected, routed.cpu().data<long>().ToArray());
    }

    [Fact]
    public void Constructor_InsideDisposeScope_BuffersOutliveIt()
    {
        LinearRouter router;
        using (NewDisposeScope())
        {
            router = LinearRouter.FoldPcaKMeans(zeros(3), null, eye(3));
        }

        using (router)
        using (Tensor tokens = eye(3))
        using (Tensor routed = router.Route(tokens))
        {
            Assert.Equal([0, 1, 2], routed.data<long>().ToArray());
        }
    }

    [Fact]
    public void Route_WrongTokens_NamesBothWidths()
    {
        using var scope = NewDisposeScope();
        using LinearRouter router = Router();
        var error = Assert.Throws<ArgumentException>(() => router.Route(zeros(2, 5)));
        Assert.Contains("[tokens, 3]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 5]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => router.Route(zeros(3)));
        Assert.Throws<ArgumentException>(() => router.Route(zeros(2, 3, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentNullException>(() => router.Route(null!));
    }

    [Fact]
    public void Constructors_ShapesThatDoNotFit_Throw()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new LinearRouter(zeros(4, 3), zeros(3)));
        Assert.Throws<ArgumentException>(() => new LinearRouter(zeros(4), zeros(4)));
        Assert.Throws<ArgumentException>(() => LinearRouter.FoldPcaKMeans(zeros(5), zeros(2, 4), zeros(3, 2)));
        Assert.Throws<ArgumentException>(() => LinearRouter.FoldPcaKMeans(zeros(4), zeros(2, 4), zeros(3, 4)));
        Assert.Throws<ArgumentException>(() => LinearRouter.FoldPcaKMeans(zeros(4), null, zeros(3, 2)));
    }

    [Fact]
    public void CreateRouteDispose_LeavesNoTensors() => LeakCheck.NoTensorsLeft(() =>
    {
        using Tensor mean = zeros(3);
        using Tensor components = ones(1, 3);
        using Tensor centroids = ones(2, 1);
        using Tensor tokens = ones(4, 3, dtype: ScalarType.BFloat16);
        using var router = LinearRouter.FoldPcaKMeans(mean, components, centroids);
        router.Route(tokens).Dispose();
        Assert.NotNull(router.GetState());
    });

    private static LinearRouter Router()
    {
        using var scope = NewDisposeScope();
        return new LinearRouter(eye(4, 3), tensor([0f, 0.1f, 0.2f, 0.3f]));
    }

    private static Tensor Orthonormal(long rows, long columns) => linalg.qr(randn([columns, rows], ScalarType.Float64)).Q.t();

    /// <summary>The chosen distance is the least one up to float32 rounding, which leaves ties open.</summary>
    private static void AssertNearest(Tensor distances, Tensor routed)
    {
        Tensor chosen = distances.gather(1, routed.unsqueeze(1)).squeeze(1);
        Tensor least = distances.amin([1]);
        Assert.InRange((chosen - least).max().item<double>(), 0, 1e-3);
    }
}
