using SparseExpansion.Expansion;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Models;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>One tiny model of every family, against the library that defines them.</summary>
public sealed class FamilyTests : IDisposable
{
    private const int PromptTokens = 6;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Forward_GivesTheReferenceLogits(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));

        Assert.InRange(RelativeError(model.call(Read(name, "input_ids")), Read(name, "logits")), 0, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Forward_WithCacheInPieces_GivesTheReferenceLogits(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        using KeyValueCache cache = model.CreateCache();
        Tensor ids = Read(name, "input_ids");
        List<Tensor> pieces = [model.forward(ids.narrow(1, 0, 8), cache), model.forward(ids.narrow(1, 8, 3), cache)];
        for (long at = 11; at < ids.size(1); at++)
        {
            pieces.Add(model.forward(ids.narrow(1, at, 1), cache));
        }

        Assert.InRange(RelativeError(cat(pieces, 1), Read(name, "logits")), 0, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Forward_WithPaddingBefore_GivesTheReferenceLogits(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        using KeyValueCache cache = model.CreateCache([0, 4]);
        Tensor ids = Read(name, "input_ids");
        Tensor expected = Read(name, "logits");
        long length = ids.size(1);
        Tensor padded = cat([full([1, 4], Scalars.Of(9), dtype: int64), ids.narrow(0, 1, 1).narrow(1, 0, length - 4)], 1);
        Tensor batch = cat([ids.narrow(0, 0, 1), padded], 0);

        Tensor logits = cat([model.forward(batch.narrow(1, 0, 9), cache), model.forward(batch.narrow(1, 9, length - 9), cache)], 1);

        Assert.InRange(RelativeError(logits.select(0, 0), expected.select(0, 0)), 0, 1e-5);
        Assert.InRange(RelativeError(logits.select(0, 1).narrow(0, 4, length - 4), expected.select(0, 1).narrow(0, 0, length - 4)), 0, 1e-5);
    }

    [Theory]
    [InlineData(Fixture.Llama)]
    [InlineData(Fixture.NeoXSequential)]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Linears_CanBeExchanged(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        IReadOnlyList<ModuleSlot> slots = SlotFinder.FindLinears(model);
        Assert.All(slots, slot => Assert.IsType<ReplacingSlot>(slot));
        Assert.Equal(slots.Count, model.modules().OfType<Linear>().Count());
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Generate_GivesTheReferenceTokens(string name)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int[] expected = [.. Read(name, "generated").data<long>().Select(id => (int)id)];

        IEnumerable<int> generated = TextGenerator.Generate(
            model, expected[..PromptTokens], new GenerationOptions { MaxNewTokens = expected.Length - PromptTokens, EosIds = [] });

        Assert.Equal(expected[PromptTokens..], generated);
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void GenerateBatch_PromptsOfDifferentLengths_GivesEachTheTokensThatItGetsAlone(string name)
    {
        using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
        int[][] prompts = [[3, 9, 27, 81, 1, 7, 5], [4], [11, 30, 12, 40, 2, 2, 2, 2, 8, 90, 17]];
        var options = new GenerationOptions { MaxNewTokens = 12, EosIds = [] };

        IReadOnlyList<GeneratedSequence> together = TextGenerator.GenerateBatch(model, prompts, options);

        for (int i = 0; i < prompts.Length; i++)
        {
            GeneratedToken[] alone = [.. TextGenerator.GenerateTokens(model, prompts[i], options)];
            Assert.Equal(alone.Select(token => token.Id), together[i].Tokens.Select(token => token.Id));
            Assert.All(alone.Zip(together[i].Tokens), pair => Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, 1e-4));
        }
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Expand_SavedAndLoaded_GeneratesTheSameTokens(string name)
    {
        string folder = _folder.File(name);
        using CausalLanguageModel dense = PretrainedModel.Load(Fixture.Model(name));
        int linears = CountFeedForwardLinears(dense.Config);
        using ExpansionResult result = dense.ExpandFeedForward(SparsityTarget.Unstructured(0.5))
            .CalibrateOn(TokenWindows.FromTokens(Ids(dense.Config.VocabularySize, 2048), 32))
            .RouteWith(new PcaKMeansOptions { Experts = 2, PcaReduction = null, Restarts = 1 })
            .Run();
        result.SavePretrained(folder, Fixture.Model(name));
        Assert.Equal(linears, dense.Mixtures().Count);
        int[] expected = [.. Continue(dense)];

        using CausalLanguageModel loaded = PretrainedModel.Load(folder);

        Assert.Equal(dense.Mixtures().Keys, loaded.Mixtures().Keys);
        Assert.All(loaded.Mixtures().Values, layer => Assert.Equal((2, true), (layer.ExpertCount, layer.IsPacked)));
        Assert.Equal(expected, Continue(loaded));
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void LoadRunAndDispose_LeaveNoTensors(string name)
    {
        long parameters;
        using (CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name)))
        {
            parameters = model.parameters().Count();
        }

        ModelLeakCheck.NoTensorsLeft((int)parameters, () =>
        {
            using CausalLanguageModel model = PretrainedModel.Load(Fixture.Model(name));
            using Tensor ids = ones([2, 9], dtype: int64);
            using Tensor logits = model.call(ids);
            using KeyValueCache cache = model.CreateCache([0, 2]);
            using Tensor cached = model.forward(ids, cache);
            using Tensor more = model.forward(ids, cache);
        });
    }

    private static IEnumerable<int> Continue(CausalLanguageModel model) =>
        TextGenerator.Generate(model, [3, 9, 27, 81], new GenerationOptions { MaxNewTokens = 8, EosIds = [] });

    private static int CountFeedForwardLinears(ModelConfig config)
    {
        int perNetwork = config.ModelType == "phi3" ? 2 : config.HasGate ? 3 : 2;
        return config.Layers.Sum(layer => perNetwork * (layer.HasExperts ? config.Experts!.Count : 1));
    }

    private static int[] Ids(int vocabulary, int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }

    private static Tensor Read(string name, string tensor)
    {
        using SafetensorsReader reader =
            SafetensorsReader.Open(Path.Combine(Fixture.Model(name), "expected.safetensors"));
        return reader.Read(tensor);
    }

    private static double RelativeError(Tensor actual, Tensor expected) =>
        ((actual.to(float64) - expected.to(float64)).norm() / expected.to(float64).norm()).item<double>();
}
