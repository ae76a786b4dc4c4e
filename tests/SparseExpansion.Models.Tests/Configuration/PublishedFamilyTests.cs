using SparseExpansion.Execution;

namespace SparseExpansion.Models.Configuration;

/// <summary>Files of the families beside the first four: as they were published, and as transformers 5 writes them.</summary>
public sealed class PublishedFamilyTests
{
    private const string Newest = "-transformers-5";

    private static readonly double[] s_short = [1.08, 1.1, 1.13, 1.28, 1.31, 1.45, 1.45, 1.45];
    private static readonly double[] s_long = [1.03, 1.05, 1.05, 1.08, 1.23, 25.3, 41.2, 64.4];

    /// <summary>Fixtures in the older spelling that the newest has another form of.</summary>
    private static readonly string[] s_pairs =
    [
        "gemma-2-2b", "gemma-3-1b-it", "gpt2", "granite-3.1-2b", "mixtral-8x7b", "olmo-2-1b", "opt-125m", "opt-350m", "phi-2",
        "phi-3-mini-128k", "phi-3-mini-4k", "phi-4-mini", "qwen3-0.6b", "qwen3-30b-a3b", "smollm3-3b", "stablelm-2-1.6b",
        "stablelm-2-12b", "starcoder2-3b",
    ];

    public static TheoryData<string> Pairs => [.. s_pairs];

    /// <summary>All fixtures of this class.</summary>
    public static IEnumerable<string> Files =>
        [.. s_pairs, .. s_pairs.Select(name => name + Newest), "gpt2-medium", "phi-3-mini-128k-first-release", "stablelm-3b-4e1t"];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Load_OlderAndNewestSpelling_AreTheSameModel(string name) =>
        PublishedConfig.AssertSame(PublishedConfig.Load(name), PublishedConfig.Load(name + Newest));

    [Fact]
    public void Load_Qwen3_NormsQueriesAndKeysOfEachHead()
    {
        ModelConfig config = PublishedConfig.Load("qwen3-0.6b");
        Assert.Equal(
            ("qwen3", 64, 32, 4, 2, 40960),
            (config.ModelType, config.HiddenSize, config.HeadDimension, config.HeadCount, config.KeyValueHeadCount, config.MaxPositions));
        Assert.Equal((QueryKeyNorm.PerHead, true, 1e-6), (config.QueryKeyNorm, config.TieWordEmbeddings, config.NormEpsilon));
        Assert.False(config.QueryKeyValueBias || config.AttentionOutputBias || config.FeedForwardBias);
        Assert.All(config.Layers, layer => Assert.Equal(new LayerOptions { Rotary = Plain(32, 1000000) }, layer));
        Assert.Equal((ElementType.BFloat16, 90), (config.DType!.Value, config.BosId!.Value));
    }

    [Fact]
    public void Load_Qwen3Moe_HasExpertsInEveryLayer()
    {
        ModelConfig config = PublishedConfig.Load("qwen3-30b-a3b");
        Assert.Equal(
            new ExpertRouting { Count = 8, PerToken = 2, IntermediateSize = 24, NormalizesWeights = true }, config.Experts);
        Assert.All(config.Layers, layer => Assert.Equal(new LayerOptions { Rotary = Plain(32, 1000000), HasExperts = true }, layer));
        Assert.Equal((QueryKeyNorm.PerHead, false), (config.QueryKeyNorm, config.TieWordEmbeddings));
    }

    [Theory]
    [InlineData(1, new[] { 1 }, new[] { true, false, true })]
    [InlineData(2, new int[0], new[] { false, true, false })]
    public void Load_Qwen3MoeWithDenseLayers_KnowsThem(int step, int[] dense, bool[] expected)
    {
        ModelConfig config = PublishedConfig.Load("qwen3-30b-a3b", keys =>
        {
            keys["decoder_sparse_step"] = step;
            keys["mlp_only_layers"] = new System.Text.Json.Nodes.JsonArray([.. dense.Select(layer => System.Text.Json.Nodes.JsonValue.Create(layer))]);
        });
        Assert.Equal(expected, config.Layers.Select(layer => layer.HasExperts));
    }

    [Fact]
    public void Load_Mixtral_HasExpertsAndNoWindow()
    {
        ModelConfig config = PublishedConfig.Load("mixtral-8x7b");
        Assert.Equal(new ExpertRouting { Count = 8, PerToken = 2, IntermediateSize = 96 }, config.Experts);
        Assert.All(config.Layers, layer => Assert.Equal(new LayerOptions { Rotary = Plain(16, 1000000), HasExperts = true }, layer));
        Assert.Equal((BlockLayout.PreNorm, 1e-5), (config.Layout, config.NormEpsilon));
    }

    [Fact]
    public void Load_Gemma2_HasCapsAndAWindowInEveryOtherLayer()
    {
        ModelConfig config = PublishedConfig.Load("gemma-2-2b");
        Assert.Equal([4096, null, 4096, null, 4096], config.Layers.Select(layer => layer.Window));
        Assert.All(config.Layers, layer => Assert.Equal(Plain(32, 10000), layer.Rotary));
        Assert.Equal(
            (BlockLayout.SandwichNorm, NormKind.RmsAroundOne, ActivationKind.GeluTanh, true),
            (config.Layout, config.Norm, config.Activation, config.TieWordEmbeddings));
        Assert.Equal(
            (50, 30, 1.0 / 16, Math.Sqrt(72)),
            (config.AttentionSoftCap!.Value, config.LogitSoftCap!.Value, config.AttentionScale!.Value, config.EmbeddingScale));
        Assert.Equal([1, 60], config.EosIds);
    }

    [Fact]
    public void Load_Gemma3_HasOtherPositionsInLayersWithAWindow()
    {
        ModelConfig config = PublishedConfig.Load("gemma-3-1b-it");
        LayerOptions sliding = new() { Rotary = Plain(32, 10000), Window = 512 }, full = new() { Rotary = Plain(32, 1000000) };
        Assert.Equal([sliding, sliding, sliding, sliding, sliding, full, sliding, sliding], config.Layers);
        Assert.Equal(
            (BlockLayout.SandwichNorm, QueryKeyNorm.PerHead, null, null),
            (config.Layout, config.QueryKeyNorm, config.AttentionSoftCap, config.LogitSoftCap));
    }

    [Fact]
    public void Load_Gemma3WithScaling_ScalesLayersWithoutAWindowAlone()
    {
        ModelConfig config = PublishedConfig.Load(
            "gemma-3-1b-it", keys => keys["rope_scaling"] = new System.Text.Json.Nodes.JsonObject { ["factor"] = 8.0, ["rope_type"] = "linear" });
        Assert.Equal(Plain(32, 1000000) with { Scaling = RotaryScaling.Linear, Factor = 8 }, config.Layers[5].Rotary);
        Assert.Equal(Plain(32, 10000), config.Layers[0].Rotary);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("gpt2-medium")]
    public void Load_Gpt2_HasLearnedPositionsAndBiases(string name)
    {
        ModelConfig config = PublishedConfig.Load(name);
        Assert.Equal(
            (64, 256, 4, 4, 16, 1024),
            (config.HiddenSize, config.IntermediateSize, config.HeadCount, config.KeyValueHeadCount, config.HeadDimension, config.MaxPositions));
        Assert.Equal(
            (0, NormKind.Layer, ActivationKind.GeluTanh, true, false, null),
            (config.LearnedPositionOffset, config.Norm, config.Activation, config.TieWordEmbeddings, config.HasGate, config.DType));
        Assert.True(config.NormBias && config.QueryKeyValueBias && config.AttentionOutputBias && config.FeedForwardBias);
        Assert.All(config.Layers, layer => Assert.Equal(new LayerOptions(), layer));
    }

    [Fact]
    public void Load_Gpt2WithFactorsByLayer_HasThem()
    {
        ModelConfig config = PublishedConfig.Load("gpt2", keys =>
        {
            keys["scale_attn_by_inverse_layer_idx"] = true;
            keys["scale_attn_weights"] = false;
        });
        Assert.Equal([1, 0.5], config.Layers.Select(layer => layer.AttentionFactor));
        Assert.Equal(1, config.AttentionScale);
    }

    [Fact]
    public void Load_Phi3_HasItsWindow() => Assert.All(
        PublishedConfig.Load("phi-3-mini-4k").Layers,
        layer => Assert.Equal(new LayerOptions { Rotary = Plain(16, 10000), Window = 2047 }, layer));

    [Theory]
    [InlineData("phi-3-mini-128k")]
    [InlineData("phi-3-mini-128k-first-release")]
    public void Load_Phi3Of128K_HasTwoListsOfDivisors(string name)
    {
        ModelConfig config = PublishedConfig.Load(name);
        RotaryOptions rotary = Plain(16, 10000) with
        {
            Scaling = RotaryScaling.LongRope,
            Factor = 32,
            OriginalContext = 4096,
            ShortFactors = s_short,
            LongFactors = s_long,
            AttentionFactor = Math.Sqrt(1 + (Math.Log(32) / Math.Log(4096))),
        };
        Assert.All(config.Layers, layer => Assert.Equal(new LayerOptions { Rotary = rotary }, layer));
        Assert.Equal(131072, config.MaxPositions);
    }

    [Fact]
    public void Load_Phi4Mini_RotatesThreeQuarters()
    {
        ModelConfig config = PublishedConfig.Load("phi-4-mini");
        RotaryOptions rotary = config.Layers[0].Rotary!;
        Assert.Equal((24, 12, 12, 47.77), (rotary.Dimensions, rotary.ShortFactors.Count, rotary.LongFactors.Count, rotary.LongFactors[^1]));
        Assert.Equal((32, 1, true, null), (config.HeadDimension, config.KeyValueHeadCount, config.TieWordEmbeddings, config.Layers[0].Window));
    }

    [Fact]
    public void Load_Phi2_RotatesTwoFifthsAndSharesItsNorm()
    {
        ModelConfig config = PublishedConfig.Load("phi-2");
        Assert.Equal((80, Plain(32, 10000)), (config.HeadDimension, config.Layers[0].Rotary!));
        Assert.Equal(
            (BlockLayout.ParallelSharedNorm, NormKind.Layer, ActivationKind.GeluTanh, true, false),
            (config.Layout, config.Norm, config.Activation, config.HeadBias, config.HasGate));
        Assert.True(config.QueryKeyValueBias && config.AttentionOutputBias && config.FeedForwardBias && config.NormBias);
    }

    [Theory]
    [InlineData("opt-125m", BlockLayout.PreNorm, true, null)]
    [InlineData("opt-350m", BlockLayout.PostNorm, false, 32)]
    public void Load_Opt_HasItsNormsAndWidths(string name, BlockLayout layout, bool hasFinalNorm, int? embeddingSize)
    {
        ModelConfig config = PublishedConfig.Load(name);
        Assert.Equal((layout, hasFinalNorm, embeddingSize), (config.Layout, config.HasFinalNorm, config.EmbeddingSize));
        Assert.Equal(
            (2, ActivationKind.Relu, 256, true, true),
            (config.LearnedPositionOffset, config.Activation, config.IntermediateSize, config.TieWordEmbeddings, config.FeedForwardBias));
        Assert.All(config.Layers, layer => Assert.Null(layer.Rotary));
    }

    [Fact]
    public void Load_Olmo2_NormsWhatBranchesGive()
    {
        ModelConfig config = PublishedConfig.Load("olmo-2-1b");
        Assert.Equal(
            (BlockLayout.BranchNorm, QueryKeyNorm.AllHeads, 1e-6, null),
            (config.Layout, config.QueryKeyNorm, config.NormEpsilon, config.BosId));
        Assert.Equal(Plain(16, 500000), config.Layers[0].Rotary);
    }

    [Fact]
    public void Load_Granite_HasItsFactors()
    {
        ModelConfig config = PublishedConfig.Load("granite-3.1-2b");
        Assert.Equal(
            (12, 0.015625, 0.22, 0.125),
            (config.EmbeddingScale, config.AttentionScale!.Value, config.ResidualScale, config.LogitScale));
        Assert.True(config.TieWordEmbeddings);
    }

    [Fact]
    public void Load_SmolLM3_HasLayersWithoutPositions()
    {
        ModelConfig config = PublishedConfig.Load("smollm3-3b");
        RotaryOptions rotary = Plain(16, 5000000);
        Assert.Equal([rotary, rotary, rotary, null, rotary, rotary], config.Layers.Select(layer => layer.Rotary));
        PublishedConfig.AssertSame(config, PublishedConfig.Load("smollm3-3b", keys => keys.Remove("no_rope_layers")));
    }

    [Theory]
    [InlineData("stablelm-2-1.6b", BlockLayout.PreNorm, QueryKeyNorm.None, true, 8)]
    [InlineData("stablelm-2-12b", BlockLayout.ParallelSharedNorm, QueryKeyNorm.EachHead, false, 4)]
    [InlineData("stablelm-3b-4e1t", BlockLayout.PreNorm, QueryKeyNorm.None, false, 8)]
    public void Load_StableLM_HasItsLayout(string name, BlockLayout layout, QueryKeyNorm norm, bool bias, int rotated)
    {
        ModelConfig config = PublishedConfig.Load(name);
        Assert.Equal((layout, norm, bias, false), (config.Layout, config.QueryKeyNorm, config.QueryKeyValueBias, config.AttentionOutputBias));
        Assert.Equal((NormKind.Layer, true), (config.Norm, config.HasGate));
        Assert.Equal(Plain(rotated, 10000), config.Layers[0].Rotary);
    }

    [Fact]
    public void Load_Starcoder2_HasItsWindowAndBiases()
    {
        ModelConfig config = PublishedConfig.Load("starcoder2-3b");
        Assert.All(config.Layers, layer => Assert.Equal(new LayerOptions { Rotary = Plain(16, 999999.4420358813), Window = 4096 }, layer));
        Assert.Equal(
            (NormKind.Layer, ActivationKind.GeluTanh, false, true),
            (config.Norm, config.Activation, config.HasGate, config.TieWordEmbeddings));
        Assert.True(config.QueryKeyValueBias && config.AttentionOutputBias && config.FeedForwardBias && config.NormBias);
    }

    private static RotaryOptions Plain(int dimensions, double theta) => new() { Dimensions = dimensions, Theta = theta };
}
