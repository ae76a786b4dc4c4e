using System.Security.Cryptography;
using SparseExpansion.Expansion;
using SparseExpansion.Models;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

public sealed class LanguageModelExpansionTests : IDisposable
{
    private readonly CausalLanguageModel _model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void CalibrateOn_Windows_GivesTheSameAsItsBatchesAndLeavesNoTensors()
    {
        TokenWindows windows = Windows(count: 6);
        Tensor[] batches = [.. windows.Batches(2)];
        string expected = Expanded(builder => builder.CalibrateOn(batches));
        Array.ForEach(batches, batch => batch.Dispose());

        Assert.Equal(expected, Expanded(builder => builder.CalibrateOn(windows, batchSize: 2)));
        int layers = 3 * _model.Config.LayerCount;
        LeakCheck.NoTensorsLeft(() => Expanded(builder => builder.CalibrateOn(windows)), parametersDisposed: layers);
    }

    [Fact]
    public void CalibrateOn_WindowsThatDoNotFit_FailsAtOnce()
    {
        ExpansionBuilder<CausalLanguageModel> builder = Configure();
        Assert.Throws<ArgumentException>(() => builder.CalibrateOn(TokenWindows.FromTokens([1, 101], 2)));
        Assert.Throws<ArgumentException>(() => builder.CalibrateOn(TokenWindows.FromTokens(new int[300], 300)));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.CalibrateOn(Windows(2), batchSize: 0));
    }

    [Fact]
    public void CalibrateOn_WindowsAndAnyModelOfIds_MakesBatchesOfTheDefaultSize()
    {
        using nn.Module<Tensor, Tensor> model =
            nn.Sequential(("embed", nn.Embedding(101, 8)), ("linear", nn.Linear(8, 8)));
        var sizes = new List<long>();
        ExpansionBuilder<nn.Module<Tensor, Tensor>> builder = model.Expand().RouteWith(new SingleExpertRouterTrainer())
            .PruneWith(new MagnitudeSparsifier(), SparsityTarget.Unstructured(0.5))
            .ForwardWith((m, ids) =>
            {
                sizes.Add(ids.shape[0]);
                return m.call(ids);
            });
        using ExpansionResult result = builder.CalibrateOn(TokenWindows.FromTokens([.. Enumerable.Range(0, 6144).Select(i => i % 101)], 1024)).Run();
        Assert.Equal([2L, 4], sizes.Distinct().Order());
    }

    [Fact]
    public void ExpandFeedForward_OnText_ExpandsTheFeedForwardLayersOfAllBlocks()
    {
        using CausalLanguageModel model = PretrainedModel.Load(SampleFolder.Path);
        using ExpansionResult result = model.ExpandFeedForward(SparsityTarget.Unstructured(0.5), ExpansionRecipe.Fast)
            .CalibrateOnText(SampleFolder.Text, TextTokenizer.Load(SampleFolder.Path), context: 64).Run();

        Assert.Equal(3 * model.Config.LayerCount, model.Mixtures().Count);
        Assert.All(model.Mixtures().Keys, name => Assert.Contains(".mlp.", name, StringComparison.Ordinal));
        Assert.All(result.Layers.Values, layer => Assert.Equal(4, layer.ExpertCount));
    }

    private static TokenWindows Windows(int count) =>
        TokenWindows.FromTokens([.. Enumerable.Range(0, count * 32).Select(i => i * i % 101)], 32);

    private string Expanded(
        Func<ExpansionBuilder<CausalLanguageModel>, ExpansionBuilder<CausalLanguageModel>> calibrate)
    {
        using ExpansionResult result = calibrate(Configure()).Run();
        string hash = string.Join(
            " ", _model.state_dict().Values.Select(tensor => Convert.ToHexString(SHA256.HashData(tensor.bytes))));
        result.Revert();
        return hash;
    }

    private ExpansionBuilder<CausalLanguageModel> Configure() =>
        _model.ExpandFeedForward(SparsityTarget.Unstructured(0.5))
        .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null })
        .PruneWith(new WandaSparsifier(), SparsityTarget.Unstructured(0.5));
}
