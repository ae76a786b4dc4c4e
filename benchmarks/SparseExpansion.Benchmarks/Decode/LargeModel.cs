using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Calibration;
using SparseExpansion.Calibration.Capture;
using SparseExpansion.Execution;
using SparseExpansion.Layers;
using SparseExpansion.Layers.Surgery;
using SparseExpansion.Models;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
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

    /// <summary>The file <c>config.json</c>.</summary>
    public static string ConfigText(int blocks) => Config.Replace("BLOCKS", $"{blocks}", StringComparison.Ordinal);

    /// <summary>The dense model.</summary>
    public static CausalLanguageModel Create(int blocks)
    {
        string folder = Directory.CreateTempSubdirectory("decode-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, ModelFolder.ConfigFile), ConfigText(blocks));
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

    /// <summary>
    /// Replaces the blocks' linears by packed experts of random weights and masks; the head stays dense.
    /// </summary>
    /// <param name="model">A model of <see cref="Create"/>.</param>
    /// <param name="experts">Experts of each layer.</param>
    /// <param name="sparsity">Fraction of pruned weights.</param>
    /// <param name="attention">True to expand the linears of the attention too.</param>
    public static void Expand(CausalLanguageModel model, int experts, double sparsity, bool attention = false)
    {
        foreach (IGrouping<string, ModuleSlot> group in SlotFinder.FindLinears(model)
            .Where(slot => slot.Name.Contains(".mlp.", StringComparison.Ordinal) || (attention && slot.Name.Contains(".self_attn.", StringComparison.Ordinal)))
            .GroupBy(slot => InputGroup(slot.Name)))
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

    /// <summary>Linears that read one tensor share a name here: query, key and value; gate and up.</summary>
    private static string InputGroup(string name)
    {
        int dot = name.LastIndexOf('.');
        string linear = name[(dot + 1)..];
        return name[..dot] + (linear is "o_proj" or "down_proj" ? ".out" : ".in");
    }
}
