using BenchmarkDotNet.Attributes;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks;

/// <summary>
/// Cost of routing, compared with the dense layer that the mixture replaces, and the gain of folding the router.
/// </summary>
public class RouterBenchmarks
{
    private const int Features = 4096;
    private const int Components = Features / 32;
    private const int Experts = 16;

    private readonly Tensor _weight = randn(Features, Features);
    private readonly Tensor _mean = randn(Features);
    private readonly Tensor _components = linalg.qr(randn(Features, Components)).Q.t().contiguous();
    private readonly Tensor _centroids = randn(Experts, Components);
    private LinearRouter _router = null!;
    private Tensor _tokens = null!;

    [Params(1, 64, 512)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        set_grad_enabled(false);
        _router = LinearRouter.FoldPcaKMeans(_mean, _components, _centroids);
        _tokens = randn(Tokens, Features);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _router.Dispose();
        _tokens.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void DenseLayer() => nn.functional.linear(_tokens, _weight).Dispose();

    [Benchmark]
    public void FoldedRouter() => _router.Route(_tokens).Dispose();

    [Benchmark]
    public void UnfoldedRouter()
    {
        using var scope = NewDisposeScope();
        cdist((_tokens - _mean).matmul(_components.t()), _centroids).argmin(1);
    }
}
