using System.Diagnostics;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Testing.NativeLifetime;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace SparseExpansion.Tensors;

/// <summary>Expansions of a small model while garbage is collected all the time.</summary>
public sealed class CollectionStressTests
{
    private const int LeastRuns = 5;

    [Fact]
    public void Expand_WhileGarbageIsCollected_NeverFailsAndGivesTheSame()
    {
        using Tensor x = randn(768, 64), tokens = x * rand(64).mul(Scalars.Of(2));
        using Sequential net = Sequential(("a", Linear(64, 96)), ("r", ReLU()), ("b", Linear(96, 32)));
        net.eval();
        double[] undisturbed = Expand(net, tokens);
        using var pressure = new GarbagePressure();
        var clock = Stopwatch.StartNew();
        int run = 0;
        for (; run < LeastRuns || clock.Elapsed < GarbagePressure.Duration; run++)
        {
            Assert.Equal(undisturbed, Expand(net, tokens));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{run} expansions, {pressure.Count} collections");
    }

    /// <summary>Outputs of the expanded model, and what its report says.</summary>
    private static double[] Expand(Sequential net, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using ExpansionResult result = net.Expand()
            .RouteWith(new PcaKMeansOptions { Experts = 4, PcaReduction = null, Restarts = 1, MaxIterations = 10 })
            .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.6))
            .RefineRouter(new RouterRefinementOptions { Rounds = 1, Epochs = 2 })
            .CompensateErrors()
            .CalibrateOn(tokens.split(256))
            .WithSeed(1)
            .Run();
        using var noGrad = no_grad();
        double[] outputs = [.. net.call(tokens).flatten().data<float>().Select(value => (double)value)];
        result.Revert();
        return outputs;
    }
}
