using CsCheck;
using SparseExpansion.Serialization;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

public sealed class PretrainedModelTests : IDisposable
{
    private const string Weights = "model.safetensors";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_Shards_GivesTheSameWeightsAsOneFile()
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        Dictionary<string, Tensor> tensors = ReadAll();
        File.Delete(_folder.File(Weights));
        var shards = tensors.GroupBy(item => $"model-{item.Key.Length % 2}.safetensors").ToArray();
        foreach (var shard in shards)
        {
            SafetensorsWriter.Write(_folder.File(shard.Key), shard);
        }

        string map =
            string.Join(",", shards.SelectMany(shard => shard.Select(item => $"\"{item.Key}\":\"{shard.Key}\"")));
        File.WriteAllText(
            _folder.File("model.safetensors.index.json"), "{\"metadata\":{},\"weight_map\":{" + map + "}}");

        using CausalLanguageModel model = PretrainedModel.Load(_folder.Path);
        Assert.All(model.state_dict(), item => Assert.True(item.Value.equal(tensors[item.Key]).all().item<bool>()));
        Assert.False(model.training);
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("a/b.safetensors")]
    [InlineData("..")]
    [InlineData("C:x.safetensors")]
    public void Load_IndexLeavesTheFolder_Throws(string file)
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        File.Move(_folder.File(Weights), _folder.File("other.safetensors"));
        File.WriteAllText(
            _folder.File("model.safetensors.index.json"), "{\"weight_map\":{\"lm_head.weight\":\"" + file + "\"}}");
        Assert.Contains("same folder", Fail().Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Folders of download caches hold links to files elsewhere; that is the user's doing, not the index's.
    /// </summary>
    [Fact]
    public void Load_ShardIsALink_IsFollowed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        using var elsewhere = new TemporaryFolder();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        File.Move(_folder.File(Weights), elsewhere.File("blob"));
        File.CreateSymbolicLink(_folder.File(Weights), elsewhere.File("blob"));
        using CausalLanguageModel model = PretrainedModel.Load(_folder.Path);
        Assert.False(model.training);
    }

    [Fact]
    public void Load_IndexMutated_LoadsOrRefusesWithTheFileName()
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        File.Move(_folder.File(Weights), _folder.File("s.safetensors"));
        IReadOnlyCollection<string> names;
        using (SafetensorsReader reader = SafetensorsReader.Open(_folder.File("s.safetensors")))
        {
            names = [.. reader.Entries.Keys];
        }

        string index = "{\"metadata\":{},\"weight_map\":{" + string.Join(",", names.Select(name => $"\"{name}\":\"s.safetensors\"")) + "}}";
        string[] pieces = ["\"", "{", "}", "/", "..", "null", "\\", "1", "", "\0", ":"];
        Gen.Select(Gen.Int[0, index.Length - 1], Gen.Int[0, pieces.Length - 1]).Array[1, 3].Sample(
            changes =>
            {
                string changed = changes.OrderByDescending(c => c.Item1)
                    .Aggregate(index, (text, c) => text.Remove(c.Item1, 1).Insert(c.Item1, pieces[c.Item2]));
                File.WriteAllText(_folder.File("model.safetensors.index.json"), changed);
                try
                {
                    PretrainedModel.Load(_folder.Path).Dispose();
                }
                catch (CheckpointException error)
                {
                    Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
                }
            },
            iter: 150, threads: 1);
    }

    [Fact]
    public void ListTensors_OfADenseFolder_NamesThoseOfTheModel()
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        using CausalLanguageModel model = PretrainedModel.Load(_folder.Path);
        Assert.Equal(
            model.state_dict().Keys.Order(StringComparer.Ordinal),
            ModelFolder.ListTensors(_folder.Path).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Load_IndexDoesNotFitTheShard_NamesTheTensors()
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        File.Move(_folder.File(Weights), _folder.File("shard.safetensors"));
        File.WriteAllText(_folder.File("model.safetensors.index.json"), """{"weight_map":{"not.there":"shard.safetensors"}}""");
        Assert.Contains("lm_head.weight", Fail().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Load_HalfPrecisionCheckpoint_ConvertsOrKeepsIt(ScalarType type)
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        Rewrite(tensors => tensors.ToDictionary(item => item.Key, item => item.Value.to(type)));
        Fixture.Edit(
            _folder.Path, "config.json", "\"float32\"", type == ScalarType.Float16 ? "\"float16\"" : "\"bfloat16\"");

        using CausalLanguageModel wide = PretrainedModel.Load(_folder.Path);
        using CausalLanguageModel kept = PretrainedModel.Load(_folder.Path, new LoadOptions { DType = null });

        Assert.All(wide.parameters(), parameter => Assert.Equal(ScalarType.Float32, parameter.dtype));
        Assert.All(kept.parameters(), parameter => Assert.Equal(type, parameter.dtype));
        Assert.True(wide.get_parameter("lm_head.weight")!.equal(kept.get_parameter("lm_head.weight")!.to(float32)).all().item<bool>());
    }

    [Fact]
    public void Load_TiedHeadOnly_FillsTheEmbedding()
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Qwen2, _folder.Path);
        Dictionary<string, Tensor> original = ReadAll();
        Rewrite(tensors => Renamed(tensors, "model.embed_tokens.weight", "lm_head.weight"));
        using CausalLanguageModel model = PretrainedModel.Load(_folder.Path);
        Assert.True(model.state_dict()["model.embed_tokens.weight"].equal(original["model.embed_tokens.weight"]).all().item<bool>());
    }

    [Fact]
    public void Load_TiedButDifferent_Throws()
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Qwen2, _folder.Path);
        Rewrite(tensors => new(tensors) { ["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone() });
        PretrainedModel.Load(_folder.Path).Dispose();
        Rewrite(tensors => new(tensors) { ["lm_head.weight"] = tensors["lm_head.weight"].Plus(1) });
        Assert.Contains("tie_word_embeddings", Fail().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingUnexpectedOrMisshapenTensors_NamesThem()
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        Rewrite(tensors => new(tensors) { ["model.extra"] = ones(2) });
        Assert.Contains("unexpected tensors: model.extra", Fail().Message, StringComparison.Ordinal);
        Rewrite(
            tensors => tensors.Where(item => item.Key is not ("model.extra" or "model.norm.weight")).ToDictionary());
        Assert.Contains("lacks tensors: model.norm.weight", Fail().Message, StringComparison.Ordinal);
        Rewrite(tensors => new(tensors) { ["model.norm.weight"] = ones(3) });
        Assert.Contains("model.norm.weight", Fail().Message, StringComparison.Ordinal);
        Rewrite(tensors => new(tensors) { ["model.norm.weight"] = ones(64, dtype: int64) });
        Assert.Contains("model.norm.weight", Fail().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RecomputedBuffers_AreLeftOut()
    {
        using var scope = NewDisposeScope();
        Fixture.CopyModel(Fixture.NeoXParallel, _folder.Path);
        Rewrite(tensors => new(tensors)
        {
            ["gpt_neox.layers.0.attention.rotary_emb.inv_freq"] = ones(2),
            ["gpt_neox.layers.0.attention.bias"] = ones([1, 1, 4, 4], dtype: uint8),
            ["gpt_neox.layers.0.attention.masked_bias"] = zeros(1),
        });
        PretrainedModel.Load(_folder.Path).Dispose();
    }

    [Fact]
    public void Load_NoWeights_SaysWhatIsExpected()
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        File.Delete(_folder.File(Weights));
        Assert.Contains(Weights, Fail().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Fails_LeavesNoTensors()
    {
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        Fixture.Edit(_folder.Path, "config.json", "\"vocab_size\": 101", "\"vocab_size\": 102");
        ModelLeakCheck.NoTensorsLeft(parameters: 21, () => Fail());
    }

    [Fact]
    public void ModelFolder_CopiesConfigAndTokenizerButNoWeights()
    {
        using var target = new TemporaryFolder();
        Fixture.CopyModel(Fixture.Llama, _folder.Path);
        File.WriteAllText(_folder.File("tokenizer.json"), "{}");
        IReadOnlyList<string> names = ModelFolder.CopySideFiles(_folder.Path, target.File("new"));
        Assert.Equal(["config.json", "tokenizer.json"], names);
        Assert.Equal(
            names, Directory.GetFiles(target.File("new")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Throws<CheckpointException>(() => ModelFolder.ListSideFiles(_folder.File("missing")));
    }

    private CheckpointException Fail() => Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path));

    private Dictionary<string, Tensor> ReadAll()
    {
        using SafetensorsReader reader = SafetensorsReader.Open(_folder.File(Weights));
        return reader.Entries.Keys.ToDictionary(name => name, name => reader.Read(name));
    }

    private void Rewrite(Func<Dictionary<string, Tensor>, Dictionary<string, Tensor>> change) =>
        SafetensorsWriter.Write(_folder.File(Weights), change(ReadAll()));

    private static Dictionary<string, Tensor> Renamed(Dictionary<string, Tensor> tensors, string from, string to) =>
        tensors.ToDictionary(item => item.Key == from ? to : item.Key, item => item.Value);
}
