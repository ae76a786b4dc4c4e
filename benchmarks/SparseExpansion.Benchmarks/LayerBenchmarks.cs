using BenchmarkDotNet.Attributes;
using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Execution;
using SparseExpansion.Layers;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks;

/// <summary>
/// Cost of a mixture layer with its router, compared with the dense layer and with the same experts stored dense.
/// </summary>
[MemoryDiagnoser]
public class LayerBenchmarks
{
    private const int Experts = 16;
    private const int Width = 4096;

    private SparseMixtureLayer _packed = null!;
    private SparseMixtureLayer _masked = null!;
    private Tensor _dense = null!;
    private Tensor _tokens = null!;

    [Params(1, 64, 512)]
    public int Tokens { get; set; }

    [Params(0.5, 0.75, 0.9)]
    public double Sparsity { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        using var noGrad = no_grad();
        using var router = randn(Experts, Width);
        using var bias = zeros(Experts);
        Tensor[] weights = [.. Enumerable.Range(0, Experts).Select(_ => Workload.Pack(Width, Width, Sparsity, ScalarType.Float32)).Select(packed =>
        {
            using (packed)
            {
                return packed.Unpack();
            }
        })];
        _packed = new SparseMixtureLayer("layer", new LinearRouter(router, bias), weights).Pack();
        _masked = new SparseMixtureLayer("layer", new LinearRouter(router, bias), weights);
        _dense = weights[0].clone();
        _tokens = randn(Tokens, Width);
        Array.ForEach(weights, weight => weight.Dispose());
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _packed.Dispose();
        _masked.Dispose();
        _dense.Dispose();
        _tokens.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void Dense() => Workload.DenseLinear(_tokens, _dense);

    [Benchmark]
    public void PackedExperts() => _packed.call(_tokens).Dispose();

    [Benchmark]
    public void MaskedDenseExperts() => _masked.call(_tokens).Dispose();
}
