using SparseExpansion.Internal;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers;

/// <summary>Reads config.json: finds the model type, hands over to its reader and holds the result against its keys.</summary>
internal static class ModelConfigReader
{
    /// <summary>Reads the configuration of a checkpoint folder.</summary>
    public static ModelConfig Load(string folder)
    {
        string path = Path.Combine(folder, ModelFolder.ConfigFile);
        if (!Path.Exists(path))
        {
            throw new CheckpointException($"{path}: is missing; expected a checkpoint folder in Hugging Face layout.");
        }

        var config = new ConfigObject(JsonFile.ReadObject(path), path);
        RefuseWhatNoReaderKnows(config);
        string type = config.OptionalString("model_type") ?? throw config.Error("model_type", "is missing");
        ModelConfig result = type switch
        {
            "llama" or "mistral" or "qwen2" => LlamaConfigReader.Read(config, type),
            "gpt_neox" => GptNeoXConfigReader.Read(config, type),
            _ => throw config.Error("model_type", $"is '{type}'; supported are llama, mistral, qwen2 and gpt_neox"),
        };
        result = ReadCommon(config, result);
        config.RequireAllUsed(IrrelevantKeys.All);
        result = WithGenerationIds(result, folder);
        try
        {
            result.Validate();
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new CheckpointException($"{path}: {PlainMessage.Of(error)}", error);
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
            _ => throw config.Error(key, $"is '{name}'; supported are silu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh and relu"),
        };
    }

    private static ModelConfig ReadCommon(ConfigObject config, ModelConfig result)
    {
        string? type = config.OptionalString("dtype");
        type ??= config.OptionalString("torch_dtype");
        return result with
        {
            InitializerRange = config.OptionalNumber("initializer_range") ?? 0.02,
            BosId = config.OptionalInt("bos_token_id", least: 0),
            EosIds = config.Ids("eos_token_id"),
            DType = type switch
            {
                null => null,
                "float32" => ScalarType.Float32,
                "float16" => ScalarType.Float16,
                "bfloat16" => ScalarType.BFloat16,
                _ => throw config.Error("torch_dtype", $"is '{type}'; supported are float32, float16 and bfloat16"),
            },
        };
    }

    private static void RefuseWhatNoReaderKnows(ConfigObject config)
    {
        if (config.Has("quantization_config"))
        {
            throw config.Error("quantization_config", "is set; quantized checkpoints are not supported, use the float16, bfloat16 or float32 one");
        }

        if (config.Has("auto_map"))
        {
            throw config.Error("auto_map", "is set; models that bring code of their own are not supported");
        }

        if (config.Bool("is_encoder_decoder", false) || config.Bool("add_cross_attention", false))
        {
            throw config.Error("is_encoder_decoder", "(or add_cross_attention) is true; only decoder models are supported");
        }

        if (config.Object("pruned_heads") is { } heads)
        {
            heads.RequireAllUsed(IrrelevantKeys.All);
        }
    }

    /// <summary>Instruction-tuned checkpoints name further end ids in generation_config.json only.</summary>
    private static ModelConfig WithGenerationIds(ModelConfig config, string folder)
    {
        string path = Path.Combine(folder, ModelFolder.GenerationConfigFile);
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
