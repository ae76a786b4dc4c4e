using System.Text.Json;
using System.Text.Json.Nodes;
using SparseExpansion.Models;
using SparseExpansion.Serialization;
using SparseExpansion.Transformers;
using static TorchSharp.torch;

namespace TrainModel;

/// <summary>Writes config.json and model.safetensors in Hugging Face layout.</summary>
internal static class ModelWriter
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true };

    /// <summary>Writes the architecture of a Llama model.</summary>
    public static void WriteConfig(ModelConfig config, string folder) =>
        File.WriteAllText(Path.Combine(folder, "config.json"), ToJson(config).ToJsonString(s_readable) + "\n");

    /// <summary>Writes the weights in bfloat16.</summary>
    public static void WriteWeights(CausalLanguageModel model, string folder)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            model.state_dict().Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(ScalarType.BFloat16))),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static JsonObject ToJson(ModelConfig config) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = config.ModelType,
        ["vocab_size"] = config.VocabularySize,
        ["hidden_size"] = config.HiddenSize,
        ["intermediate_size"] = config.IntermediateSize,
        ["num_hidden_layers"] = config.LayerCount,
        ["num_attention_heads"] = config.HeadCount,
        ["num_key_value_heads"] = config.KeyValueHeadCount,
        ["max_position_embeddings"] = config.MaxPositions,
        ["rms_norm_eps"] = config.NormEpsilon,
        ["rope_theta"] = config.Layers[0].Rotary!.Theta,
        ["hidden_act"] = "silu",
        ["tie_word_embeddings"] = config.TieWordEmbeddings,
        ["bos_token_id"] = config.BosId,
        ["eos_token_id"] = config.EosIds[0],
        ["torch_dtype"] = "bfloat16",
    };
}
