using System.Text.Json.Nodes;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Families;

/// <summary>The keys that each family lists beside those that it reads.</summary>
public sealed class FamilyKeysTests
{
    private static readonly string[] s_anything = ["null", "true", "0.5", "-3", "\"text\"", "[1,\"a\"]", """{"a":{"b":1}}"""];

    public static TheoryData<string, string> Keys
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string type in ModelFamilies.Types)
            {
                foreach ((string key, KnownKey _) in ModelFamilies.Of(type).Keys)
                {
                    data.Add(type, key);
                }
            }

            return data;
        }
    }

    [Fact]
    public void Fixtures_HaveEveryType() => Assert.Equal(ModelFamilies.Types, PublishedConfig.ByType.Keys);

    [Theory]
    [MemberData(nameof(Keys))]
    public void Load_KeyOfAFamily_IsRefusedUnlessItsValueIsNeutral(string type, string key)
    {
        KnownKey rule = ModelFamilies.Of(type).Keys.Single(item => item.Key == key).Value;
        ModelConfig expected = PublishedConfig.Load(PublishedConfig.ByType[type]);
        foreach (string value in rule.IsIrrelevant ? s_anything : ["null", .. rule.Values])
        {
            PublishedConfig.AssertSame(expected, Load(type, key, value));
        }

        string[] others = key == "auto_map" ? ["true", """{"AutoModel":"a.B"}"""] : [.. s_anything.Append("false").Except([.. rule.Values, "null"])];
        foreach (string value in rule.IsIrrelevant ? [] : others)
        {
            CheckpointException error = Assert.Throws<CheckpointException>(() => Load(type, key, value));
            Assert.Contains($"config.json: the key '{key}' {rule.Refusal ?? $"is {value}"}", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("phi3", "configuration_phi3.Phi3Config", "modeling_phi3.Phi3ForCausalLM")]
    [InlineData("phi3", "microsoft/Phi-4-mini-instruct--configuration_phi3.Phi3Config", "microsoft/Phi-4-mini-instruct--modeling_phi3.Phi3ForCausalLM")]
    [InlineData("phi", "configuration_phi.PhiConfig", "modeling_phi.PhiForCausalLM")]
    public void Load_CodeThatTheTypeWasPublishedWith_ChangesNothing(string type, string config, string model) =>
        Assert.NotNull(Load(type, "auto_map", $$"""{"AutoConfig": "{{config}}", "AutoModelForCausalLM": "{{model}}"}"""));

    [Theory]
    [InlineData("phi3", "modeling_phi3.Phi3ForCausalLM2")]
    [InlineData("phi3", "modeling_phi.PhiForCausalLM")]
    [InlineData("llama", "modeling_phi3.Phi3ForCausalLM")]
    public void Load_OtherCode_IsRefused(string type, string model)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(
            () => Load(type, "auto_map", $$"""{"AutoModelForCausalLM": "{{model}}"}"""));
        Assert.Contains("'auto_map' names a configuration or model class", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_SwitchThatMakesOtherKeysIdle_StillKnowsThem()
    {
        Assert.Null(Load("qwen3_moe", "num_experts", "0").Experts);
        ModelConfig opt = PublishedConfig.Load("opt-350m", keys => keys["_remove_final_layer_norm"] = true);
        Assert.False(opt.HasFinalNorm);
    }

    private static ModelConfig Load(string type, string key, string value) =>
        PublishedConfig.Load(PublishedConfig.ByType[type], keys => keys[key] = JsonNode.Parse(value));
}
