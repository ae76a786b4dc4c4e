using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Execution;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Benchmarks.Decode;

/// <summary>Models of random weights with the layer shapes of TinyLlama-1.1B.</summary>
internal static class LargeModel
{
    private const string Config = """
        {
          "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2048, "intermediate_size": 5632,
          "num_attention_heads": 32, "num_key_value_heads": 4, "vocab_size": 32000, "max_position_embeddings": 2048,
          "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": false, "torch_dtype": "float32",
          "bos_token_id": 1, "eos_token_id": 2, "num_hidden_layers": BLOCKS
        }
        """;

    /// <summary>The dense model.</summary>
    public static CausalLanguageModel Create(int blocks)
    {
        string folder = Directory.CreateTempSubdirectory("decode-").FullName;
        try
        {
            File.WriteAllText(
                Path.Combine(folder, ModelFolder.ConfigFile), Config.Replace("BLOCKS", $"{blocks}", StringComparison.Ordinal));
            CausalLanguageModel model = CausalLanguageModel.Create(ModelConfig.Load(folder));
            model.InitializeWeights(seed: 1);
            model.eval();
            return model;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Puts packed experts of random weights and masks into the places of the feed-forward layers.</summary>
    public static void Expand(CausalLanguageModel model, int experts, double sparsity)
    {
        foreach (IGrouping<(string Block, bool Down), ModuleSlot> group in SlotFinder.FindLinears(model)
            .Where(slot => slot.Name.Contains(".mlp.", StringComparison.Ordinal))
            .GroupBy(slot => (slot.Name[..slot.Name.IndexOf(".mlp.", StringComparison.Ordinal)], slot.Name.EndsWith("down_proj", StringComparison.Ordinal))))
        {
            using var scope = NewDisposeScope();
            long width = ((Linear)group.First().Dense).in_features;
            var router = new SharedRouter(new LinearRouter(randn(experts, width), zeros(experts)));
            foreach (ModuleSlot slot in group)
            {
                var linear = (Linear)slot.Dense;
                IEnumerable<PackedWeight> weights = Enumerable.Range(0, experts)
                    .Select(_ => Workload.Pack((int)linear.out_features, (int)linear.in_features, sparsity, ScalarType.Float32));
                slot.Install(new SparseMixtureLayer(slot.Name, router, PackedExperts.Of(weights), bias: null));
                slot.ReleaseDense();
            }
        }
    }
}
