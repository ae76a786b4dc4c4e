using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SparseExpansion.Calibration;
using SparseExpansion.Pruning;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks;

/// <summary>
/// How long does a layer take to prune at 50 %? The baseline is SparseGPT as usually written: a loop of tensor calls, one
/// column at a time. Pruners are timed as users call them, with checks and the measured output error.
/// </summary>
[Config(typeof(Config))]
public class PrunerBenchmarks
{
    private static readonly SparsityTarget Half = SparsityTarget.Unstructured(0.5);
    private static readonly SparsityTarget TwoOfFour = SparsityTarget.NM(2, 4);
    private readonly SparseGptSparsifier _sparseGpt = new();
    private readonly AlpsSparsifier _alps = new();
    private readonly ISparsifier _refit = new SparseGptSparsifier().WithRefit();
    private readonly WandaSparsifier _wanda = new();
    private readonly MagnitudeSparsifier _magnitude = new();
    private Tensor _weight = null!;
    private HessianStatistic _hessian = null!;
    private ColumnNormStatistic _norms = null!;
    private TokenCountStatistic _count = null!;

    [Params(1024, 4096)]
    public int Rows { get; set; }

    [Params(1024)]
    public int Columns { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        random.manual_seed(1);
        _weight = randn(Rows, Columns);
        _hessian = new HessianStatistic(Columns, CPU);
        _norms = new ColumnNormStatistic(Columns, CPU);
        _count = new TokenCountStatistic(Columns);
        using Tensor mixing = randn(Columns, Columns).div_(Math.Sqrt(Columns));
        using Tensor tokens = randn(4 * Columns, Columns).matmul(mixing);
        _hessian.Observe(tokens);
        _norms.Observe(tokens);
        _count.Observe(tokens);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _weight.Dispose();
        _hessian.Dispose();
        _norms.Dispose();
        _count.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void ColumnByColumnTensors() => SparseGptTensorLoop.Prune(_weight, _hessian.Hessian, 0.5).Dispose();

    [Benchmark]
    public void SparseGpt() => _sparseGpt.Prune(_weight, _hessian, Half).Dispose();

    /// <summary>What the baseline does and no more: without checks and without measuring the output error.</summary>
    [Benchmark]
    public void SparseGptUnmeasured()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor hessians = _hessian.Hessian.unsqueeze(0);
        Tensor factors = DampingLadder.Factor(hessians, _sparseGpt.Options.DampingSchedule, CancellationToken.None).Factors;
        Tensor dead = hessians.diagonal(0, 1, 2).eq(0);
        SparseGptSolver.Solve(_weight, dead, factors, Half, _sparseGpt.Options.BlockSize, PanelBlockKernel.Prune, CancellationToken.None);
    }

    [Benchmark]
    public void SparseGptTwoOfFour() => _sparseGpt.Prune(_weight, _hessian, TwoOfFour).Dispose();

    [Benchmark]
    public void Alps() => _alps.Prune(_weight, _hessian, Half).Dispose();

    [Benchmark]
    public void SparseGptRefit() => _refit.Prune(_weight, _hessian, Half).Dispose();

    [Benchmark]
    public void Wanda() => _wanda.Prune(_weight, _norms, Half).Dispose();

    [Benchmark]
    public void Magnitude() => _magnitude.Prune(_weight, _count, Half).Dispose();

    private sealed class Config : BenchmarkDotNet.Configs.ManualConfig
    {
        public Config() => AddJob(Job.ShortRun.WithIterationCount(5).WithToolchain(InProcessEmitToolchain.Instance))
            .AddColumn(BenchmarkDotNet.Columns.StatisticColumn.Median);
    }
}
