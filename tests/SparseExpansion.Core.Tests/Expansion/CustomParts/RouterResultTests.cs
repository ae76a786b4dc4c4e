using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Layers;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion.CustomParts;

/// <summary>Results of a user's own trainers and routers are checked, and the error names layer and class.</summary>
public sealed class RouterResultTests : CustomPartTestBase
{
    [Theory]
    [InlineData("null", "the trainer 'scripted' (ScriptedTrainer) returned null")]
    [InlineData("narrow", "the trainer 'scripted' (ScriptedTrainer) returned a ScriptedRouter of 2 experts for tokens of width 3")]
    [InlineData("no experts", "returned a ScriptedRouter of 0 experts")]
    [InlineData("null experts", "ScriptedRouter returned null for")]
    [InlineData("short", "ScriptedRouter returned Int64 [1] on cpu for")]
    [InlineData("floats", "ScriptedRouter returned Float32 [64] on cpu for")]
    [InlineData("matrix", "ScriptedRouter returned Int64 [64, 1] on cpu for")]
    [InlineData("elsewhere", "on meta for 64 tokens on cpu")]
    [InlineData("too high", "ScriptedRouter sent a token to expert 2, but has experts 0 … 1")]
    [InlineData("far too high", "ScriptedRouter sent a token to expert 4294967296, but")]
    [InlineData("negative", "ScriptedRouter sent a token to expert -1")]
    public void Run_BadRouter_NamesLayersAndClass(string fault, string said) => Fails(
        Model.Expand().Targets("blocks.*").RouteWith(new ScriptedTrainer(fault)).PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5)).CalibrateOn(Batches),
        "The router failed at layer 'blocks.0.gate, blocks.0.up'", said);

    [Theory]
    [InlineData("without null", "ScriptedRouter.Without(1) returned null; it must return a router of 1 experts for tokens of width 16")]
    [InlineData("without itself", "ScriptedRouter.Without(1) returned a router of 2 experts")]
    public void Run_RouterThatCannotBeReduced_IsAnErrorAndNoEndlessLoop(string fault, string said) => Fails(
        Builder().RouteWith(new ScriptedTrainer(fault)).WithExpertStatistics(new ExpertStatisticsOptions { MinimumTokens = 1_000 }), "The router failed at layer 'blocks.0.gate", said);

    [Theory]
    [InlineData("null experts", "returned null")]
    [InlineData("short", "returned Int64 [1]")]
    [InlineData("too high", "expert 2")]
    public void Call_BadRouter_NamesTheLayer(string fault, string said)
    {
        using var scope = NewDisposeScope();
        using var layer = new SparseMixtureLayer("mlp.up", new ScriptedRouter(fault, 2, 4), [ones(3, 4), ones(3, 4)]);
        var error = Assert.Throws<SparseExpansionException>(() => layer.call(ones(5, 4)));

        Assert.Contains("Layer 'mlp.up'", error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    private sealed class ScriptedTrainer(string fault) : IRouterTrainer
    {
        public string Name => "scripted";

        public IRouter Fit(ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default) => fault switch
        {
            "null" => null!,
            "narrow" => new ScriptedRouter(fault, 2, 3),
            "no experts" => new ScriptedRouter(fault, 0, tokens.Features),
            _ => new ScriptedRouter(fault, 2, tokens.Features),
        };
    }

    private sealed class ScriptedRouter(string fault, int experts, int features) : IReducibleRouter
    {
        public int ExpertCount => experts;

        public int InputFeatures => features;

        public Tensor Route(Tensor tokens)
        {
            long[] all = [tokens.shape[0]];
            return fault switch
            {
                "null experts" => null!,
                "short" => zeros(1, ScalarType.Int64),
                "floats" => zeros(all),
                "matrix" => zeros([.. all, 1], ScalarType.Int64),
                "elsewhere" => zeros(all, ScalarType.Int64, META),
                "too high" => full(all, Scalars.Of(2L), ScalarType.Int64),
                "far too high" => full(all, Scalars.Of(1L << 32), ScalarType.Int64),
                "negative" => full(all, Scalars.Of(-1L), ScalarType.Int64),
                _ => zeros(all, ScalarType.Int64),
            };
        }

        public IReducibleRouter Without(int expert) => fault == "without null" ? null! : this;

        public void Dispose()
        {
        }
    }
}
