using BenchmarkDotNet.Attributes;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks;

/// <summary>Time to train the router of an input group.</summary>
public class RouterTrainingBenchmarks
{
    private const int Tokens = 65_536;

    private static readonly RouterTrainingContext s_context = new("benchmark", CPU, 1);

    private Tensor _tokens = null!;

    [Params(128, 1024)]
    public int Features { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        random.manual_seed(1);
        using var scope = NewDisposeScope();
        Tensor centers = randn(40, Features);
        Tensor scales = linspace(3, 0.3, Features);
        Tensor blobs = centers.index_select(0, randint(0, 40, [Tokens], ScalarType.Int64));
        _tokens = (blobs.Plus(randn(Tokens, Features)) * scales).MoveToOuterDisposeScope();
    }

    [GlobalCleanup]
    public void Cleanup() => _tokens.Dispose();

    [Benchmark]
    public int KMeans() => Fit(new PcaKMeansOptions { PcaReduction = null, Restarts = 10 });

    [Benchmark]
    public int PcaKMeans() => Fit(new PcaKMeansOptions { PcaReduction = 32, Restarts = 10 });

    private int Fit(PcaKMeansOptions options)
    {
        using IRouter router = new PcaKMeansTrainer(options).Fit(new TokenMatrix(_tokens), s_context);
        return router.ExpertCount;
    }
}
