using CustomPruner;
using SparseExpansion;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

OpenMPWaiting.UsePassive(); // before any other use of torch: its waiting threads then do not starve others
manual_seed(1);
using var noGrad = no_grad();
using var model = new FeedForward(width: 64, inner: 192);
using Tensor calibration = ClusteredTokens(count: 4_096);
using Tensor expected = model.call(calibration);

ISparsifier[] pruners = [new MagnitudeSparsifier(), new WandaSparsifier(), new RiaSparsifier()];
IRouterTrainer[] routers =
[
    new SingleExpertRouterTrainer(),
    new HyperplaneTrainer(planes: 3),
    new PcaKMeansTrainer(new PcaKMeansOptions { Experts = 8, PcaReduction = null }),
];

foreach (SparsityTarget target in new SparsityTarget[] { SparsityTarget.Unstructured(0.5), SparsityTarget.NM(2, 4) })
{
    Console.WriteLine($"Relative output error at {target} sparsity");
    Console.WriteLine($"  {"pruner",-10}" + string.Concat(routers.Select(router => $"{router.Name,14}")));
    foreach (ISparsifier pruner in pruners)
    {
        Console.WriteLine($"  {pruner.Name,-10}" + string.Concat(routers.Select(router => $"{OutputError(router, pruner, target),14:P2}")));
    }
}

CheckRoundTrip();

double OutputError(IRouterTrainer router, ISparsifier pruner, SparsityTarget target)
{
    using ExpansionResult result = Expand(router, pruner, target);
    using Tensor actual = model.call(calibration);
    double error = Distance(actual);
    result.Revert();
    return error;
}

ExpansionResult Expand(IRouterTrainer router, ISparsifier pruner, SparsityTarget target)
{
    #region use-custom-parts
    return model.Expand()
        .RouteWith(router)
        .PruneWith(pruner, target)
        .CalibrateOn([calibration])
        .WithSeed(1)
        .Run();
    #endregion
}

double Distance(Tensor actual)
{
    using var scope = NewDisposeScope();
    return ((actual - expected).Squared().sum() / expected.Squared().sum()).item<float>();
}

void CheckRoundTrip()
{
    string folder = Path.Combine(Path.GetTempPath(), $"custom-pruner-{Environment.ProcessId}");
    try
    {
        using ExpansionResult result = Expand(
            new HyperplaneTrainer(planes: 3), new RiaSparsifier(), SparsityTarget.Unstructured(0.5));
        result.Save(folder);

        #region load-custom-router
        using var loaded = new FeedForward(width: 64, inner: 192);
        ExpandedModel.Load(loaded, folder, RouterKinds.Default.With(HyperplaneRouter.Kind, HyperplaneRouter.FromState));
        #endregion
        using Tensor before = model.call(calibration);
        using Tensor after = loaded.call(calibration);
        Console.WriteLine($"Saved with its hyperplane routers and loaded: outputs are {(before.allclose(after, rtol: 0, atol: 0) ? "equal" : "DIFFERENT")}.");
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}

static Tensor ClusteredTokens(int count)
{
    using var scope = NewDisposeScope();
    Tensor centers = randn(8, 64);
    Tensor scales = randn(8, 64).exp();
    Tensor cluster = randint(8, count, dtype: int64);
    return centers.index_select(0, cluster)
        .Plus(scales.index_select(0, cluster) * randn(count, 64))
        .MoveToOuterDisposeScope();
}
