using SparseExpansion.Models.Families;
using SparseExpansion.Testing;

namespace SparseExpansion.Models.Configuration.Keys;

public sealed class KnownKeysTests : IDisposable
{
    private static readonly string[] s_anything = ["null", "true", "0.5", "-3", "\"text\"", "[1, \"a\"]", """{"a": {"b": 1}}"""];

    /// <summary>Types whose readers ask for none of the keys in the common tables.</summary>
    private static readonly string[] s_types = ["llama", "mistral", "qwen2", "gpt_neox"];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Keys
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string type in s_types)
            {
                foreach (string key in KeysOf(type).Keys.Order(StringComparer.Ordinal))
                {
                    data.Add(type, key);
                }
            }

            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public void Load_KnownKey_IsRefusedUnlessItsValueIsNeutral(string type, string key)
    {
        KnownKey rule = KeysOf(type)[key];
        ModelConfig expected = Load(type, null, null);
        foreach (string value in rule.IsIrrelevant ? s_anything : ["null", .. rule.Values])
        {
            Assert.Equal(expected, Load(type, key, value) with { EosIds = expected.EosIds, Layers = expected.Layers });
        }

        string[] others = key == "auto_map" ? ["true", """{"AutoModel": "a.B"}"""] : [.. s_anything.Append("false").Except([.. rule.Values, "null"])];
        foreach (string value in rule.IsIrrelevant ? [] : others)
        {
            CheckpointException error = Assert.Throws<CheckpointException>(() => Load(type, key, value));
            Assert.Contains(
                $"config.json: the key '{key}' {rule.Refusal ?? $"is {value}"}", error.Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("gpt_neox")]
    public void Load_UnknownKey_IsRefusedEvenIfNull(string type)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => Load(type, "novel_attention", "null"));
        Assert.Contains("the key 'novel_attention' is not supported", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsNeutral_NumbersInAnotherSpelling_AreTheSame()
    {
        Assert.NotNull(Load("llama", "logits_scaling", "1.0"));
        Assert.NotNull(Load("llama", "num_experts", "0.0"));
    }

    [Fact]
    public void AutoMap_NamesTokenizersAlone_IsNeutral()
    {
        Assert.NotNull(Load("llama", "auto_map", """{"AutoTokenizer": ["a.B", null], "AutoModelForSequenceClassification": "a.C"}"""));
        Assert.NotNull(Load("llama", "auto_map", "{}"));
        foreach (string name in new[] { "AutoConfig", "AutoModel", "AutoModelForCausalLM" })
        {
            Assert.Throws<CheckpointException>(() => Load("llama", "auto_map", $$"""{"{{name}}": "a.B"}"""));
        }
    }

    private static IReadOnlyDictionary<string, KnownKey> KeysOf(string type) =>
        KnownKeys.With(ModelFamilies.Of(type).Keys);

    private ModelConfig Load(string type, string? key, string? value)
    {
        string addition = key is null ? "" : $", \"{key}\": {value}";
        File.WriteAllText(_folder.File("config.json"), $$"""
            {
              "model_type": "{{type}}", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
              "vocab_size": 100, "max_position_embeddings": 128{{addition}}
            }
            """);
        return ModelConfig.Load(_folder.Path);
    }
}
