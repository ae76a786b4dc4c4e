using BenchmarkDotNet.Attributes;
using SparseExpansion.Transformers;

namespace SparseExpansion.Benchmarks.Decode;

/// <summary>Cost of decoding one token, with dense and with expanded feed-forward layers.</summary>
[MemoryDiagnoser]
public class DecodeBenchmarks
{
    private const int Blocks = 4;
    private const int Experts = 16;

    private Decoder _dense = null!;
    private Decoder _expanded = null!;

    [Params(0.5, 0.75, 0.9)]
    public double Sparsity { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _dense = new Decoder(LargeModel.Create(Blocks));
        CausalLanguageModel model = LargeModel.Create(Blocks);
        LargeModel.Expand(model, Experts, Sparsity);
        _expanded = new Decoder(model);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _dense.Dispose();
        _expanded.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void Dense() => _dense.Step();

    [Benchmark]
    public void Expanded() => _expanded.Step();
}
