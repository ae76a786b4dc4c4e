using BenchmarkDotNet.Attributes;
using SparseExpansion.Analysis;
using SparseExpansion.Analysis.Neurons;
using SparseExpansion.Calibration.Tokens;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks;

/// <summary>
/// Cost of analyzing a 4096-neuron layer over 65,536 tokens, compared with one torch sort of the same outputs.
/// </summary>
[SimpleJob(launchCount: 1, warmupCount: 1, iterationCount: 3)]
public class AnalysisBenchmarks
{
    private const int Neurons = 4_096;
    private const int Tokens = 65_536;

    private readonly EntanglementAnalyzer _analyzer = new();
    private Tensor _inputs = null!;
    private Tensor _weight = null!;
    private Tensor _outputs = null!;
    private DenseLinear _layer = null!;

    [Params(1_024, 4_096)]
    public int InFeatures { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        set_grad_enabled(false);
        _inputs = randn(Tokens, InFeatures);
        _weight = randn(Neurons, InFeatures);
        _layer = new DenseLinear("layer", _weight);
        _outputs = _weight.matmul(_inputs.t());
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _inputs.Dispose();
        _weight.Dispose();
        _outputs.Dispose();
    }

    /// <summary>The baseline: sorts all outputs as one tensor, which takes three times their memory.</summary>
    [Benchmark(Baseline = true)]
    public void TorchSort()
    {
        (Tensor values, Tensor indices) = _outputs.sort(dim: 1);
        values.Dispose();
        indices.Dispose();
    }

    [Benchmark]
    public void Analyze() => _analyzer.Analyze(_layer, new TokenMatrix(_inputs));

    [Benchmark]
    public void AnalyzeWithoutMappingDifficulty() =>
        new EntanglementAnalyzer(new AnalysisOptions { MappingPairs = 0 }).Analyze(_layer, new TokenMatrix(_inputs));
}
