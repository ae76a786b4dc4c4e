using BenchmarkDotNet.Attributes;
using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Execution;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks;

/// <summary>Speed of a packed weight, compared with the dense layer and torch's own sparse format.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks
{
    private PackedWeight _packed = null!;
    private Tensor _dense = null!;
    private Tensor? _csr;
    private Tensor _tokens = null!;
    private Tensor _transposedTokens = null!;

    [Params(1, 8, 64, 512)]
    public int Tokens { get; set; }

    [Params(0.5, 0.75, 0.9)]
    public double Sparsity { get; set; }

    [Params(ScalarType.Float32, ScalarType.BFloat16)]
    public ScalarType DType { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        random.manual_seed(1);
        _packed = Workload.Pack(4096, 4096, Sparsity, DType);
        _dense = _packed.Unpack();
        _tokens = randn(Tokens, 4096).to(DType);
        _transposedTokens = _tokens.t().contiguous();

        // TorchSharp has no to_sparse_csr, but TorchScript does.
        using var script = jit.compile("def csr(w):\n    return w.to_sparse_csr()\n");
        _csr = script.Invoke("csr", _dense);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _packed.Dispose();
        _dense.Dispose();
        _csr?.Dispose();
        _tokens.Dispose();
        _transposedTokens.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void TorchDense() => Workload.DenseLinear(_tokens, _dense);

    [Benchmark]
    public void TorchCsr() => _csr!.matmul(_transposedTokens).Dispose();

    [Benchmark]
    public void Packed() => _packed.Multiply(_tokens).Dispose();
}
