using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Factorization;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Pruners;

/// <summary>
/// Time to prune a layer at 50 %. The baseline is SparseGPT as usually written: a loop of tensor calls, one
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
    private PrunerWorkload _layer = null!;

    [Params(1024, 4096)]
    public int Rows { get; set; }

    [Params(1024)]
    public int Columns { get; set; }

    [GlobalSetup]
    public void Setup() => _layer = new PrunerWorkload(Rows, Columns);

    [GlobalCleanup]
    public void Cleanup() => _layer.Dispose();

    [Benchmark(Baseline = true)]
    public void ColumnByColumnTensors() =>
        SparseGptTensorLoop.Prune(_layer.Weight, _layer.Hessian.Hessian, 0.5).Dispose();

    [Benchmark]
    public void SparseGpt() => _sparseGpt.Prune(_layer.Weight, _layer.Hessian, Half).Dispose();

    /// <summary>The same work as the baseline: no checks, and no output error.</summary>
    [Benchmark]
    public void SparseGptUnmeasured()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor hessians = _layer.Hessian.Hessian.unsqueeze(0);
        Tensor factors = DampingLadder.Factor(hessians, _sparseGpt.Options.DampingSchedule, CancellationToken.None).Factors;
        Tensor dead = hessians.diagonal(0, 1, 2).eq(Scalars.Of(0));
        SparseGptSolver.Solve(
            _layer.Weight, dead, factors, Half, _sparseGpt.Options.BlockSize, PanelBlockKernel.Prune,
            CancellationToken.None);
    }

    [Benchmark]
    public void SparseGptTwoOfFour() => _sparseGpt.Prune(_layer.Weight, _layer.Hessian, TwoOfFour).Dispose();

    [Benchmark]
    public void Alps() => _alps.Prune(_layer.Weight, _layer.Hessian, Half).Dispose();

    [Benchmark]
    public void SparseGptRefit() => _refit.Prune(_layer.Weight, _layer.Hessian, Half).Dispose();

    [Benchmark]
    public void Wanda() => _wanda.Prune(_layer.Weight, _layer.Norms, Half).Dispose();

    [Benchmark]
    public void Magnitude() => _magnitude.Prune(_layer.Weight, _layer.Count, Half).Dispose();

    private sealed class Config : BenchmarkDotNet.Configs.ManualConfig
    {
        public Config() => AddJob(Job.ShortRun.WithIterationCount(5).WithToolchain(InProcessEmitToolchain.Instance))
            .AddColumn(BenchmarkDotNet.Columns.StatisticColumn.Median);
    }
}
