using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Tokens;
using SparseExpansion.Expansion;
using SparseExpansion.Layers;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Language models whose routers users wrote are saved and loaded like others.</summary>
public sealed class CustomRouterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_SavedWithACustomRouter_GivesTheSameLogits()
    {
        string output = _folder.File("expanded");
        using Tensor ids = tensor(new long[] { 3, 5, 8, 13, 21, 34 }).unsqueeze(0);
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));
        using ExpansionResult result = model.Expand()
            .Targets("*.up_proj")
            .RouteWith(new SignTrainer())
            .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5))
            .CalibrateOn(new[] { ids })
            .Run();
        result.SavePretrained(output, Fixture.Model(Fixture.Llama));
        using CausalLanguageModel loaded = PretrainedModel.Load(
            output, new LoadOptions { Routers = RouterKinds.Default.With(SignRouter.Kind, SignRouter.FromState) });

        Assert.All(loaded.Mixtures().Values, layer => Assert.IsType<SignRouter>(layer.InputGroup.Router));
        using Tensor expected = model.call(ids), actual = loaded.call(ids);
        Assert.True(actual.bytes.SequenceEqual(expected.bytes));

        string message = Assert.Throws<CheckpointException>(() => PretrainedModel.Load(output)).Message;
        Assert.Contains($"a router of kind '{SignRouter.Kind}'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_NoRouters_IsRefused() =>
        Assert.Equal(
            "Routers must not be null. (Parameter 'Routers')",
            Assert.Throws<ArgumentException>(() => new LoadOptions { Routers = null! }.Validate()).Message);

    private sealed class SignTrainer : IRouterTrainer
    {
        public string Name => "sign";

        public IRouter Fit(
            ITokenSource tokens, RouterTrainingContext context, CancellationToken cancellationToken = default) =>
            new SignRouter(tokens.Features);
    }

    /// <summary>Routes by the sign of a token's first feature.</summary>
    private sealed class SignRouter(int inputFeatures) : ICheckpointRouter
    {
        public const string Kind = "sign";

        public int ExpertCount => 2;

        public int InputFeatures => inputFeatures;

        public static SignRouter FromState(RouterState state) => new(state.InputFeatures);

        public Tensor Route(Tensor tokens)
        {
            using Tensor first = tokens.select(1, 0);
            using Tensor negative = first.signbit();
            return negative.to(ScalarType.Int64);
        }

        public RouterState GetState() => new(Kind, InputFeatures, ExpertCount, new Dictionary<string, Tensor>());

        public void Dispose()
        {
        }
    }
}
