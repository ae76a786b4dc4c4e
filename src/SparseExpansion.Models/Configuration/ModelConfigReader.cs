using SparseExpansion.Execution;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Models.Configuration.Keys;

namespace SparseExpansion.Models.Configuration;

/// <summary>
/// Reads config.json: finds the model type, hands over to its reader and holds the result against its keys.
/// </summary>
internal static class ModelConfigReader
{
    /// <summary>Reads the configuration of a checkpoint folder.</summary>
    public static ModelConfig Load(string folder)
    {
        string path = Path.Combine(folder, CheckpointFiles.Config);
        if (!Path.Exists(path))
        {
            throw new CheckpointException($"{path}: is missing; expected a checkpoint folder in Hugging Face layout.");
        }

        var config = new ConfigObject(JsonFile.ReadObject(path), path);
        string type = config.OptionalString("model_type") ?? throw config.Error("model_type", "is missing");
        ModelConfig result = type switch
        {
            "llama" or "mistral" or "qwen2" => LlamaConfigReader.Read(config, type),
            "gpt_neox" => GptNeoXConfigReader.Read(config, type),
            _ => throw config.Error("model_type", $"is '{type}'; supported are llama, mistral, qwen2 and gpt_neox"),
        };
        result = ReadCommon(config, result);
        config.RequireAllUsed(KnownKeys.Of(type));
        result = WithGenerationIds(result, folder);
        try
        {
            result.Validate();
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new CheckpointException($"{path}: {PlainMessage.Clause(error)}", error);
        }

        return result;
    }

    /// <summary>The non-linearity of a key such as "hidden_act".</summary>
    public static ActivationKind ReadActivation(ConfigObject config, string key, string fallback)
    {
        string name = config.OptionalString(key) ?? fallback;
        return name switch
        {
            "silu" or "swish" => ActivationKind.Silu,
            "gelu" => ActivationKind.Gelu,
            "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => ActivationKind.GeluTanh,
            "relu" => ActivationKind.Relu,
            _ => throw config.Error(
                key, $"is '{name}'; supported are silu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh and relu"),
        };
    }

    private static ModelConfig ReadCommon(ConfigObject config, ModelConfig result) => result with
    {
        InitializerRange = config.OptionalNumber("initializer_range") ?? 0.02,
        BosId = config.OptionalInt("bos_token_id", least: 0),
        EosIds = config.Ids("eos_token_id"),
        DType = Spellings.Agree(
            config, [("dtype", ReadType(config, "dtype")), ("torch_dtype", ReadType(config, "torch_dtype"))]),
    };

    private static ElementType? ReadType(ConfigObject config, string key) => config.OptionalString(key) switch
    {
        null => null,
        "float32" => ElementType.Float32,
        "float16" => ElementType.Float16,
        "bfloat16" => ElementType.BFloat16,
        string other => throw config.Error(key, $"is '{other}'; supported are float32, float16 and bfloat16"),
    };

    /// <summary>Instruction-tuned checkpoints name further end ids in generation_config.json only.</summary>
    private static ModelConfig WithGenerationIds(ModelConfig config, string folder)
    {
        string path = Path.Combine(folder, CheckpointFiles.GenerationConfig);
        if (!File.Exists(path))
        {
            return config;
        }

        var generation = new ConfigObject(JsonFile.ReadObject(path), path);
        return config with
        {
            BosId = config.BosId ?? generation.OptionalInt("bos_token_id", least: 0),
            EosIds = [.. config.EosIds.Union(generation.Ids("eos_token_id"))],
        };
    }
}
