using SparseExpansion.Expansion;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Loading;

public sealed class DenseWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Fixture.Llama, ScalarType.Float32)]
    [InlineData("gpt2", ScalarType.BFloat16)]
    [InlineData("opt", ScalarType.BFloat16)]
    [InlineData("phi3", ScalarType.BFloat16)]
    [InlineData("qwen3_moe", ScalarType.BFloat16)]
    public void SaveDense_LoadedModel_GivesTheTensorsOfItsCheckpoint(string name, ScalarType type)
    {
        using var scope = NewDisposeScope();
        string source = Fixture.Model(name), output = _folder.File(name);
        using CausalLanguageModel model = PretrainedModel.Load(source, new LoadOptions { DType = type });

        model.SaveDense(output, source);

        Dictionary<string, Tensor> expected = Read(source), actual = Read(output);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, entry => Assert.True(entry.Value.equal(actual[entry.Key]).all().item<bool>(), entry.Key));
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("stablelm")]
    public void SaveDense_PrunedModel_IsReadAsADenseOne(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        string source = Fixture.Model(name), output = _folder.File(name);
        using CausalLanguageModel model = PretrainedModel.Load(source);
        using ExpansionResult result = Begin(model).RouteWith(new SingleExpertRouterTrainer()).Run();

        model.SaveDense(output, source);

        using CausalLanguageModel dense = PretrainedModel.Load(output);
        Tensor ids = Tensors.TensorArithmetic.Range(12, int64).unsqueeze(0);
        Assert.InRange((dense.call(ids) - model.call(ids)).abs().max().item<float>(), 0, 1e-4f);
        Assert.InRange((dense.state_dict().First(entry => entry.Key.EndsWith(name == "gpt2" ? "c_fc.weight" : "up_proj.weight", StringComparison.Ordinal)).Value == Tensors.Scalars.Of(0)).to(float32).mean().item<float>(), 0.49f, 0.51f);
    }

    [Fact]
    public void SaveDense_SeveralExperts_NamesTheLayerAndWritesNothing()
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model("qwen3"));
        using ExpansionResult result = Begin(model).RouteWith(new RandomRouterTrainer(2)).Run();

        SparseExpansionException error = Assert.Throws<SparseExpansionException>(
            () => model.SaveDense(_folder.File("out"), Fixture.Model("qwen3")));

        Assert.Contains("'model.layers.0.mlp.gate_proj' has 2 experts", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("out")));
        Assert.Throws<CheckpointException>(() => model.SaveDense(_folder.Path, _folder.File("inside")));
    }

    private static ExpansionBuilder<CausalLanguageModel> Begin(CausalLanguageModel model) =>
        model.ExpandFeedForward(SparsityTarget.Unstructured(0.5))
            .CalibrateOn(TokenWindows.FromTokens([.. Enumerable.Range(0, 512).Select(i => i * 7 % 101)], 32));

    private static Dictionary<string, Tensor> Read(string folder) =>
        CheckpointTensors.Read(folder).ToDictionary(entry => entry.Key, entry => entry.Value.clone());
}
