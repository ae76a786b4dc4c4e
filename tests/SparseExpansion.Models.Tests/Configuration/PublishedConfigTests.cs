using SparseExpansion.Execution;

namespace SparseExpansion.Models.Configuration;

/// <summary>Files of Llama, Mistral, Qwen 2 and GPT-NeoX over the years.</summary>
public sealed class PublishedConfigTests
{
    private static readonly RotaryOptions s_llama3 = new()
    {
        Dimensions = 8,
        Theta = 500000,
        Scaling = RotaryScaling.Llama3,
        Factor = 8,
        LowFrequencyFactor = 1,
        HighFrequencyFactor = 4,
        OriginalContext = 64,
    };

    [Fact]
    public void Folder_EveryFile_IsTested() => Assert.Equal(
        ["dolly", "llama-fine-tuned", "llama3-both-spellings", "llama3-transformers-5", "mistral-first-release", "mistral-transformers-5", "pythia-both-spellings",
         "pythia-transformers-5", "qwen2-base", "qwen2-transformers-5", "qwen2-window-unreached", "qwen2-without-mrope",
         "smollm2"],
        PublishedConfig.Names.Except(PublishedFamilyTests.Files));

    [Theory]
    [InlineData("qwen2-base")]
    [InlineData("qwen2-transformers-5")]
    [InlineData("qwen2-without-mrope")]
    [InlineData("qwen2-window-unreached")]
    public void Load_Qwen2_HasNoWindowAndItsBiases(string name)
    {
        ModelConfig config = Load(name);
        Assert.Equal(("qwen2", 2, null), (config.ModelType, config.KeyValueHeadCount, config.Layers[0].Window));
        Assert.True(config.QueryKeyValueBias);
        Assert.False(config.AttentionOutputBias || config.FeedForwardBias);
        Assert.Equal(new RotaryOptions { Dimensions = 8, Theta = 1000000 }, config.Layers[0].Rotary);
    }

    [Theory]
    [InlineData("pythia-both-spellings")]
    [InlineData("pythia-transformers-5")]
    [InlineData("dolly")]
    public void Load_GptNeoX_RotatesAQuarter(string name)
    {
        ModelConfig config = Load(name);
        Assert.Equal(new RotaryOptions { Dimensions = 4, Theta = 10000 }, config.Layers[0].Rotary);
        Assert.Equal(
            ("gpt_neox", 4, true),
            (config.ModelType, config.KeyValueHeadCount, config.QueryKeyValueBias));
        Assert.Equal([0], config.EosIds);
    }

    [Theory]
    [InlineData("llama3-transformers-5")]
    [InlineData("llama3-both-spellings")]
    public void Load_Llama3_ScalesItsFrequencies(string name) => Assert.Equal(s_llama3, Load(name).Layers[0].Rotary);

    [Theory]
    [InlineData("mistral-first-release", 64)]
    [InlineData("mistral-transformers-5", null)]
    public void Load_Mistral_KeepsTheWindow(string name, int? window) => Assert.Equal(window, Load(name).Layers[0].Window);

    [Theory]
    [InlineData("smollm2", 100000, ElementType.BFloat16)]
    [InlineData("llama-fine-tuned", 10000, ElementType.Float16)]
    public void Load_Llama_TraceOfTraining_ChangesNothing(string name, double theta, ElementType type)
    {
        ModelConfig config = Load(name);
        Assert.Equal(new RotaryOptions { Dimensions = 8, Theta = theta }, config.Layers[0].Rotary);
        Assert.Equal((type, null), (config.DType!.Value, config.Layers[0].Window));
        Assert.False(config.QueryKeyValueBias || config.FeedForwardBias);
    }

    private static ModelConfig Load(string name) => PublishedConfig.Load(name);
}
