using SparseExpansion.Models;
using SparseExpansion.Serialization;
using SparseExpansion.Testing;
using SparseExpansion.Testing.Fuzzing;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Fuzzing;

/// <summary>
/// Changed configurations and indices of checkpoint folders: see <see cref="FuzzRun"/> for what must hold, and how to
/// run it for longer.
/// </summary>
public sealed class FolderFuzzTests : IDisposable
{
    private const string Weights = "model.safetensors";
    private const string Index = "model.safetensors.index.json";
    private const string Shard = "shard.safetensors";

    private readonly TemporaryFolder _root = new();

    public FolderFuzzTests() => Directory.CreateDirectory(Folder);

    private string Folder => _root.File("model");

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(Fixture.Llama)]
    [InlineData(Fixture.NeoXParallel)]
    public void Config_Changed_LoadsOrRefuses(string name)
    {
        Fixture.CopyModel(name, Folder);
        string path = Path.Combine(Folder, "config.json");
        var mutator = new JsonMutator(
            "\"llama\"", "\"mistral\"", "\"qwen2\"", "\"gpt_neox\"", "\"silu\"", "\"bfloat16\"", "\"linear\"",
            "\"llama3\"", "\"rope_scaling\"", "\"rope_parameters\"", "\"head_dim\"", "\"sliding_window\"",
            "\"layer_types\"", "\"quantization_config\"", "\"num_hidden_layers\"", "\"hidden_size\"", "64", "96",
            "100000", "16777216");
        FuzzRun.Cases($"config-{name}", [File.ReadAllBytes(path)], mutator.Mutate, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            ModelConfig.Load(Folder);
            LoadAndRun();
        }, cases: 150);
    }

    [Fact]
    public void GenerationConfig_Changed_LoadsOrRefuses()
    {
        Fixture.CopyModel(Fixture.Llama, Folder);
        FuzzRun.Cases("generation-config", ["""{"eos_token_id":[1,2],"bos_token_id":0,"x":{"y":[true]}}"""u8.ToArray()], new JsonMutator("\"eos_token_id\"").Mutate, bytes =>
        {
            File.WriteAllBytes(Path.Combine(Folder, ModelFolder.GenerationConfigFile), bytes);
            ModelConfig.Load(Folder);
        }, cases: 1_000);
    }

    /// <summary>
    /// Files of the right contents lie beside the folder; whatever names an index gives, none of them is opened.
    /// </summary>
    [Fact]
    public void Index_Changed_NeverLeavesTheFolder()
    {
        Fixture.CopyModel(Fixture.Llama, Folder);
        File.Move(Path.Combine(Folder, Weights), Path.Combine(Folder, Shard));
        string[] names = ReadNames();
        Directory.CreateDirectory(Path.Combine(Folder, "below"));
        using (Tensor decoy = ones(1))
        {
            foreach (string place in new[] { _root.File("decoy"), Path.Combine(Folder, "below", "decoy") })
            {
                SafetensorsWriter.Write(place, new Dictionary<string, Tensor> { ["decoy"] = decoy });
            }
        }

        var mutator = new JsonMutator(
            "\"decoy\"", "\"../decoy\"", "\"./../decoy\"", "\"below/decoy\"", "\"..\\\\decoy\"", "\"..\"", "\".\"",
            "\"../decoy\\u0000\"", "\"..\\u2215decoy\"", $"\"{_root.File("decoy")}\"", "\"weight_map\"", $"\"{Shard}\"",
            "{\"decoy\":\"../decoy\"}", "{\"decoy\":\"below/decoy\"}");
        string good = "{\"metadata\":{\"total_size\":1},\"weight_map\":{" + string.Join(",", names.Select(name => $"\"{name}\":\"{Shard}\"")) + "}}";
        const string Bad = """{"weight_map":{"decoy":"shard.safetensors"}}""";
        FuzzRun.Cases("index", [System.Text.Encoding.UTF8.GetBytes(good)], (seed, random) => mutator.Mutate(random.Next(2) == 0 ? seed : System.Text.Encoding.UTF8.GetBytes(Bad), random), bytes =>
        {
            File.WriteAllBytes(Path.Combine(Folder, Index), bytes);
            Assert.DoesNotContain("decoy", ModelFolder.ListTensors(Folder).Keys);
            PretrainedModel.Load(Folder).Dispose();
        }, cases: 500);
    }

    private void LoadAndRun()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using CausalLanguageModel model = PretrainedModel.Load(Folder);
        Tensor logits = model.call(tensor(new long[] { 0, 1, 2 }).unsqueeze(0));
        Assert.Equal([1, 3, model.Config.VocabularySize], logits.shape);
    }

    private string[] ReadNames()
    {
        using SafetensorsReader reader = SafetensorsReader.Open(Path.Combine(Folder, Shard));
        return [.. reader.Entries.Keys];
    }
}
